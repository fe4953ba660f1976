// Starts the page's behaviours. Each lives in its own module and works without the others.
import { watchCurve } from "./curve.js";
import { watchDialog } from "./dialog.js";
import { watchHold } from "./hold.js";
import { watchKeys } from "./keys.js";
import { watchLive } from "./live.js";
import { watchLook } from "./look.js";
import { watchMenus } from "./menus.js";
import { watchPalette } from "./palette.js";
import { watchPanic } from "./panic.js";
import { watchPending } from "./pending.js";
import { watchTips } from "./tips.js";
import { watchToasts } from "./toasts.js";

watchMenus();
watchLook();
watchTips();
watchToasts();
watchDialog();
watchHold();
watchPending();
watchLive();
watchCurve();
watchPanic();
watchPalette();
watchKeys();
