// What the buyer does next, as the processor wants it: leave for its page, scan, or read and write down.
import { ExternalLink } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { NextStep } from "../../api/types"
import { Button } from "../../components/button"
import { CopyButton } from "../../components/copy"
import { Qr } from "../../components/qr"

/** Whether a browser may go there: a page, never a script. The API sees to it; this is the second lock. */
function isPage(url: string | null): url is string {
  return url !== null && /^https?:\/\//i.test(url)
}

/** Whether a link may open it: a page or an app, never what a browser would run. */
function isApp(url: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(url) && !/^(javascript|data|vbscript|file|blob):/i.test(url)
}

/** True when it happens elsewhere and the browser is on its way there. */
export function leaveFor(next: NextStep): boolean {
  if (next.type === "redirect" && isPage(next.url)) {
    window.location.assign(next.url)
    return true
  }
  if (next.type === "form" && isPage(next.url)) {
    const form = document.createElement("form")
    form.method = "post"
    form.action = next.url
    for (const [name, value] of Object.entries(next.fields ?? {})) {
      const field = document.createElement("input")
      field.type = "hidden"
      field.name = name
      field.value = value
      form.append(field)
    }
    document.body.append(form)
    form.submit()
    return true
  }
  return false
}

/** The same step drawn on the order's page, for whoever comes back to it. */
export function NextToDo({ next, method }: { next: NextStep; method: string }) {
  const { t } = useTranslation("topup")
  if (next.type === "redirect" || next.type === "form")
    return (
      <Button look="primary" size="lg" onClick={() => leaveFor(next)}>
        <ExternalLink className="i" aria-hidden="true" />
        {t("order.continue", { method })}
      </Button>
    )
  if (next.type === "qr" && next.url) return <Scan url={next.url} />
  return (
    <div className="instructions">
      {next.text && <p className="whitespace-pre-line">{next.text}</p>}
      <dl>
        {Object.entries(next.fields ?? {}).map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>
              <span className="mono">{value}</span>
              <CopyButton text={value} look="ghost" aria-label={t("order.copy", { what: label })} />
            </dd>
          </div>
        ))}
      </dl>
    </div>
  )
}

/** On a phone the code cannot be scanned by the phone itself, so its address is a link as well. */
function Scan({ url }: { url: string }) {
  const { t } = useTranslation("topup")
  return (
    <div className="scan">
      <p>{t("order.scan")}</p>
      <Qr text={url} label={t("order.code")} />
      {isApp(url) && (
        <a className="btn" href={url}>
          <ExternalLink className="i" aria-hidden="true" />
          {t("order.openApp")}
        </a>
      )}
    </div>
  )
}
