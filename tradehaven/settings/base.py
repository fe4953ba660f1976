"""Settings that are the same everywhere. What differs stands in dev, test and prod."""

from pathlib import Path
from urllib.parse import urlsplit

from tradehaven import logs
from tradehaven.settings import env

BASE_DIR = Path(__file__).resolve().parent.parent.parent
DATA_DIR = Path(env.text("DATA_DIR", str(BASE_DIR / ".data")))

SECRET_KEY = env.text("SECRET_KEY")
DATA_KEYS = env.data_keys("DATA_KEYS")
ACTIVE_DATA_KEY = next(iter(DATA_KEYS), "")
DEBUG = False
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1")
SITE_URL = env.text("SITE_URL", "http://localhost:8000")
CSRF_TRUSTED_ORIGINS = [SITE_URL]

INSTALLED_APPS = [
    "tradehaven.apps.OperatorsConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_otp",
    "channels",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "tradehaven.apps.TradeHavenConfig",
    "accounts",
    "brokers",
    "brokers.paper",
    "risk",
    "syncgroups",
    "analytics",
]
MIDDLEWARE = [
    "tradehaven.headers.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tradehaven.http_errors.ReadableAddressMiddleware",
    "risk.panic.PanicMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.TimeZoneMiddleware",
    "accounts.middleware.LastSeenMiddleware",
    "tradehaven.http_errors.DomainErrorMiddleware",
]
ROOT_URLCONF = "tradehaven.urls"
ASGI_APPLICATION = "tradehaven.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": env.database("DATABASE_URL") | {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.text("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "th",
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "th"},
    }
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
_VALIDATION = "django.contrib.auth.password_validation."
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": _VALIDATION + "UserAttributeSimilarityValidator"},
    {"NAME": _VALIDATION + "MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": _VALIDATION + "CommonPasswordValidator"},
    {"NAME": "accounts.validators.CharacterClassValidator"},
    {"NAME": "accounts.validators.CommonWordValidator"},
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_ADAPTER = "accounts.adapter.HouseAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.LogInForm",
    "signup": "accounts.forms.SignUpForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordForm",
}
# Letting newcomers in at once would tell strangers whether an address is known; a mail goes in both cases.
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS = 1
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
# A key is an address *from one place* (accounts.adapter): nobody can lock somebody else out by guessing.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "signup": "10/h/ip",
    "confirm_email": "1/3m/key",
    "reset_password": "20/m/ip,5/m/key",
}
MFA_ADAPTER = "accounts.mfa.adapter.SealedFactors"
MFA_FORMS = {
    "authenticate": "accounts.mfa.forms.EnterCodeForm",
    "reauthenticate": "accounts.mfa.forms.ConfirmCodeForm",
    "activate_totp": "accounts.mfa.forms.AddAppForm",
    "deactivate_totp": "accounts.mfa.forms.RemoveAppForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "TradeHaven"
# One step either way for clocks that differ; a spent step is remembered by the row, so none is taken twice.
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
# Nobody gets in with an unconfirmed address, so only a change of address can be waiting for its link.
MFA_ALLOW_UNVERIFIED_EMAIL = True
OTP_THROTTLE_FACTOR = 1
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXY_COUNT", 0)
LOGIN_REDIRECT_URL = "/"
LOGIN_URL = "account_login"
EMAIL_BACKEND = env.text("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.number("EMAIL_PORT", 587)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "TradeHaven <no-reply@localhost>")

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 50
CELERY_TASK_TIME_LIMIT = 60
# A broker that swallows everything must not hold up whoever only wants to leave a note there.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 300, "socket_connect_timeout": 1}
CELERY_TIMEZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "tradehaven.assets.PackageFinder",
]
# The files that pages use of the packages in package-lock.json; the launcher installs them.
NODE_MODULES = BASE_DIR / "node_modules"
NODE_ASSETS = {
    "vendor/uplot.js": "uplot/dist/uPlot.iife.min.js",
    "vendor/uplot.css": "uplot/dist/uPlot.min.css",
}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WEBHOOKS_MAY_REACH_PRIVATE = env.flag("WEBHOOKS_MAY_REACH_PRIVATE", default=False)
"""For a machine that tests its receivers on itself; on a server it would open the inner network."""

LOG_LEVEL = env.one_of("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = logs.configuration(readable=False, level=LOG_LEVEL)
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.authentication.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api.permissions.Scoped"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.throttles.KeyThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["accounts.api.render.ExactJSON"],
    "DEFAULT_PARSER_CLASSES": ["accounts.api.render.SmallJSON"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "accounts.api.render.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "accounts.api.schema.Schema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "accounts.api.errors.answer_error",
    # Numbers stay numbers, as documented; the renderer writes every digit of a decimal.
    "COERCE_DECIMAL_TO_STRING": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "TradeHaven",
    "DESCRIPTION": "Trades, profit and copying of your connected accounts. Amounts are USD, times UTC.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "StatusOk": ["ok"],
        "StatusError": ["error"],
        "CopyStatus": ["submitted", "skipped", "rejected", "unresolved", "waiting", "stale"],
    },
}
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        # Some browsers do not count the socket of the page's own host as 'self'.
        "connect-src": ["'self'", SITE_URL.replace("http", "ws", 1)],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
    }
}

# One client for each place that a login can live. The paper exchange needs no registration elsewhere.
PAPER_URL = env.text("PAPER_URL", "http://127.0.0.1:8090")
BROKERS = {
    "live": {
        "authorize_url": env.text("TRADOVATE_AUTHORIZE_URL", "https://trader.tradovate.com/oauth"),
        "rest_url": env.text("TRADOVATE_LIVE_URL", "https://live.tradovateapi.com/v1"),
        "token_url": env.text("TRADOVATE_TOKEN_URL", "https://live.tradovateapi.com/v1/auth/oauthtoken"),
        "socket_url": env.text("TRADOVATE_LIVE_SOCKET", "wss://live.tradovateapi.com/v1/websocket"),
        "market_url": env.text("TRADOVATE_MARKET_SOCKET", "wss://md.tradovateapi.com/v1/websocket"),
        "client_setting": "TRADOVATE_LIVE_CLIENT_ID",
        "client_id": env.text("TRADOVATE_LIVE_CLIENT_ID", ""),
        "client_secret": env.text("TRADOVATE_LIVE_CLIENT_SECRET", ""),
    },
    "demo": {
        "authorize_url": env.text("TRADOVATE_AUTHORIZE_URL", "https://trader.tradovate.com/oauth"),
        "rest_url": env.text("TRADOVATE_DEMO_URL", "https://demo.tradovateapi.com/v1"),
        "token_url": env.text("TRADOVATE_TOKEN_URL", "https://live.tradovateapi.com/v1/auth/oauthtoken"),
        "socket_url": env.text("TRADOVATE_DEMO_SOCKET", "wss://demo.tradovateapi.com/v1/websocket"),
        "market_url": env.text("TRADOVATE_MARKET_SOCKET", "wss://md.tradovateapi.com/v1/websocket"),
        "client_setting": "TRADOVATE_DEMO_CLIENT_ID",
        "client_id": env.text("TRADOVATE_DEMO_CLIENT_ID", ""),
        "client_secret": env.text("TRADOVATE_DEMO_CLIENT_SECRET", ""),
    },
    "paper": {
        "authorize_url": env.text("PAPER_AUTHORIZE_URL", f"{PAPER_URL}/oauth"),
        "rest_url": f"{PAPER_URL}/v1",
        "token_url": f"{PAPER_URL}/v1/auth/oauthtoken",
        "socket_url": f"{PAPER_URL.replace('http', 'ws', 1)}/v1/websocket",
        "market_url": f"{PAPER_URL.replace('http', 'ws', 1)}/v1/websocket",
        "client_setting": "PAPER_CLIENT_ID",
        "client_id": env.text("PAPER_CLIENT_ID", "tradehaven"),
        "client_secret": env.text("PAPER_CLIENT_SECRET", ""),
    },
}
# What one login may ask (docs/adr/0010). The paper exchange is held to it when it holds others to it.
PAPER_LIMITS = env.text("PAPER_LIMITS", "none")
_CALLS = {
    "per_minute": env.number("BROKER_CALLS_PER_MINUTE", 80, least=1),
    "per_hour": env.number("BROKER_CALLS_PER_HOUR", 5000, least=1),
}
_PAPER_CALLS = _CALLS if PAPER_LIMITS == "real" else {"per_minute": 6000, "per_hour": 360_000}
CALL_LIMITS = {
    "live": _CALLS,
    "demo": _CALLS,
    "paper": {
        "per_minute": env.number("PAPER_CALLS_PER_MINUTE", _PAPER_CALLS["per_minute"], least=1),
        "per_hour": env.number("PAPER_CALLS_PER_HOUR", _PAPER_CALLS["per_hour"], least=1),
    },
}
# The Connect button's form ends, by redirects, on a broker's consent page; browsers hold that against us.
CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"] += sorted(
    {"{0.scheme}://{0.netloc}".format(urlsplit(place["authorize_url"])) for place in BROKERS.values()}
)

# The paper exchange's own process; what each means stands in docs/paper-exchange.md.
PAPER_HOST = env.text("PAPER_HOST", "127.0.0.1")
PAPER_PORT = env.number("PAPER_PORT", 8090)
PAPER_SEED = env.number("PAPER_SEED", 1)
PAPER_LATENCY_MS = env.text("PAPER_LATENCY_MS", "50-200")
PAPER_SLIPPAGE_TICKS = env.text("PAPER_SLIPPAGE_TICKS", "0-2")
PAPER_COMMISSION = env.text("PAPER_COMMISSION", "2.50")
PAPER_MAX_ORDER_QTY = env.number("PAPER_MAX_ORDER_QTY", 200)
PAPER_PROTECTION_TICKS = env.number("PAPER_PROTECTION_TICKS", 100)
PAPER_COMMAND_WINDOW_MS = env.number("PAPER_COMMAND_WINDOW_MS", 0)
PAPER_TICK_MS = env.number("PAPER_TICK_MS", 250)
PAPER_TOKEN_SECONDS = env.number("PAPER_TOKEN_SECONDS", 4800)
PAPER_SESSIONS_PER_USER = env.number("PAPER_SESSIONS_PER_USER", 0)
PAPER_RESENDS = env.flag("PAPER_RESENDS", default=True)
PAPER_COMMANDS_PER_MINUTE = env.text("PAPER_COMMANDS_PER_MINUTE", "")
PAPER_REQUESTS_PER_HOUR = env.text("PAPER_REQUESTS_PER_HOUR", "")
PAPER_HOURS = env.text("PAPER_HOURS", "always")
PAPER_DATA_FILE = env.text("PAPER_DATA_FILE", "")
PAPER_SYMBOL = env.text("PAPER_SYMBOL", "")
PAPER_SPEED = env.text("PAPER_SPEED", "1")
PAPER_OPERATOR_TOKEN = env.text("PAPER_OPERATOR_TOKEN", "")
PAPER_SECRET = env.text("PAPER_SECRET", "")
# A core that never sleeps halves the engine's time for a lone order, and costs that core.
ENGINE_AWAKE = env.flag("ENGINE_AWAKE", default=False)
# The engine's own door (ADR 16): where it listens, and which doors the web tells besides those in the folder.
DOORS_DIR = DATA_DIR / "doors"
ENGINE_DOOR = env.text("ENGINE_DOOR", "")
ENGINE_DOORS = env.words("ENGINE_DOORS")
# Into how many parts the owners are divided, and the term (seconds) for which a process leads one (ADR 14).
SHARDS = env.number("SHARDS", 1, least=1)
LEASE_SECONDS = env.number("LEASE_SECONDS", 3, least=2)
DEMO_PASSWORD = env.text("DEMO_PASSWORD", "")

# Plans. The local provider lets everybody choose without paying; Stripe needs its keys and three prices.
BILLING_PROVIDER = env.one_of("BILLING_PROVIDER", "LOCAL", ("LOCAL", "STRIPE")).lower()
_PAID = BILLING_PROVIDER == "stripe"
STRIPE_API_URL = env.text("STRIPE_API_URL", "https://api.stripe.com")
STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY", None if _PAID else "")
STRIPE_WEBHOOK_SECRET = env.text("STRIPE_WEBHOOK_SECRET", None if _PAID else "")
STRIPE_PRICES = {
    "starter": env.text("STRIPE_PRICE_STARTER", None if _PAID else ""),
    "professional": env.text("STRIPE_PRICE_PROFESSIONAL", None if _PAID else ""),
    "enterprise": env.text("STRIPE_PRICE_ENTERPRISE", None if _PAID else ""),
}
if _PAID:  # the buttons of the billing page lead there by redirects
    CONTENT_SECURITY_POLICY["DIRECTIVES"]["form-action"] += [
        "https://checkout.stripe.com",
        "https://billing.stripe.com",
    ]
