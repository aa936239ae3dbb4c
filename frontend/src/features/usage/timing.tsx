import { useTranslation } from "react-i18next"
import type { Receipt } from "../../api/types"
import { countText } from "../../format/quota"

/** Where the time went: tries that came to nothing, the wait for the first token, the answer. */
export function Timing({ receipt }: { receipt: Receipt }) {
  const { t } = useTranslation("usage")
  const { latency_ms: total, first_token_ms: first } = receipt
  if (total === null) return null
  const wait = first ?? total
  const inVain = Math.min(
    wait,
    (receipt.attempts ?? []).slice(0, -1).reduce((sum, attempt) => sum + attempt.latency_ms, 0),
  )
  const share = (ms: number) => `${total > 0 ? (ms * 100) / total : 0}%`
  return (
    <div className="tl">
      <div className="tl-bar" aria-hidden="true">
        {inVain > 0 && <i className="a" style={{ width: share(inVain) }} />}
        <i className={first === null ? "c" : "b"} style={{ width: share(wait - inVain) }} />
        {first !== null && <i className="c" />}
      </div>
      <div className="flex justify-between gap-3 text-12 text-ink-3 fig">
        <span>{first === null ? "" : t("receipt.first", { ms: countText(first) })}</span>
        <span>{t("receipt.inAll", { ms: countText(total) })}</span>
      </div>
    </div>
  )
}
