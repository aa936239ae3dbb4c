import { useTranslation } from "react-i18next"
import type { Receipt } from "../../api/types"
import { State } from "../../components/state"
import { countText } from "../../format/quota"

type Attempt = NonNullable<Receipt["attempts"]>[number]

function isGood({ status, reason }: Attempt): boolean {
  return !reason && status !== null && status !== undefined && status < 400
}

/** The channels that were tried. The API tells it to operators only. */
export function RouteTaken({ attempts }: { attempts: Attempt[] }) {
  const { t } = useTranslation("usage")
  return (
    <section className="route" aria-label={t("receipt.route")}>
      <div className="flex items-center justify-between gap-3">
        <h3 className="text-13 font-label">{t("receipt.route")}</h3>
        <span className="text-12 text-ink-3">{t("receipt.operators")}</span>
      </div>
      <ol>
        {attempts.map((attempt, index) => {
          const said = [attempt.status, attempt.reason].filter(Boolean).join(", ")
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: the tries of a finished call never move
            <li key={index}>
              <State tone={isGood(attempt) ? "good" : "warn"}>
                <span className="truncate">{attempt.channel}</span>
              </State>
              <span className="text-ink-3 truncate" title={said}>
                {said || t("receipt.noAnswer")}
              </span>
              <span className="fig text-ink-2">{countText(attempt.latency_ms)} ms</span>
            </li>
          )
        })}
      </ol>
    </section>
  )
}
