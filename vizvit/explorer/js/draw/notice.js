// A sentence at the foot of the explorer that goes by itself.

const NOTICE_MS = 5000;

export function notice(app, text, lasting = false) {
  app.dom.notice.textContent = text;
  clearTimeout(app.noticeTimer);
  if (text && !lasting) app.noticeTimer = setTimeout(() => (app.dom.notice.textContent = ""), NOTICE_MS);
}
