// Warnings and alarms that are heard and seen although the page is not looked at; both only where asked for.
import { looks } from "./look.js";

const TUNES = { warning: [[660, 0.12]], danger: [[880, 0.14], [660, 0.14], [880, 0.22]] };
let speaker = null;

export function alarm({ text, severity }) {
  if (looks.sounds()) play(TUNES[severity] ?? TUNES.warning);
  if (looks.notices() && document.hidden && "Notification" in window && Notification.permission === "granted") {
    new Notification(severity === "danger" ? "TradeHaven: alarm" : "TradeHaven: warning", { body: text, tag: text });
  }
}

function play(tune) {
  speaker ??= new AudioContext();
  let at = speaker.currentTime;
  for (const [pitch, seconds] of tune) {
    const tone = speaker.createOscillator();
    const volume = speaker.createGain();
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.2, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + seconds);
    tone.connect(volume).connect(speaker.destination);
    tone.start(at);
    tone.stop(at + seconds);
    at += seconds;
  }
}
