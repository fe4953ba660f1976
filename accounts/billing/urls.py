"""The address of the payment provider's messages; the person's page lies with the accounts that it counts."""

from django.urls import path

from accounts.billing import webhooks

urlpatterns = [path("billing/webhook/", webhooks.receive, name="billing-webhook")]
