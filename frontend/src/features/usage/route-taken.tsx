import { useQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { useTranslation } from "react-i18next"
import { channelsQuery } from "../../api/operator-queries"
import type { Receipt } from "../../api/types"
import { useReasonText } from "../../components/reason"
import { State } from "../../components/state"
import { countText } from "../../format/quota"

type Attempt = NonNullable<Receipt["attempts"]>[number]

function isGood({ status, reason }: Attempt): boolean {
  return !reason && status !== null && status !== undefined && status < 400
}

/** What is known of a try besides its channel: what came of it, with which credential, for what, and when. */
function useFacts(receipt: Receipt): (attempt: Attempt) => string[] {
  const { t } = useTranslation("usage")
  const reasonText = useReasonText()
  const { data: channels } = useQuery({ ...channelsQuery, refetchInterval: false, staleTime: 60_000 })
  const credentials = channels?.flatMap((channel) => channel.credentials)
  return (attempt) => {
    const credential = credentials?.find(({ id }) => id === attempt.credential_id)
    const isElsewhere = attempt.model !== "" && attempt.model !== receipt.model
    const isOtherGroup = attempt.group !== "" && attempt.group !== receipt.group
    return [
      [attempt.status, attempt.reason && reasonText(attempt.reason)].filter(Boolean).join(" ") ||
        t("receipt.noAnswer"),
      credential && (credential.label || `…${credential.hint}`),
      isElsewhere && attempt.model,
      isOtherGroup && attempt.group,
      attempt.began_ms > 0 && t("receipt.after", { ms: countText(attempt.began_ms) }),
    ].filter((fact): fact is string => Boolean(fact))
  }
}

/** The channels that were tried, and why each was left. The API tells it to operators only. */
export function RouteTaken({ receipt, attempts }: { receipt: Receipt; attempts: Attempt[] }) {
  const { t } = useTranslation("usage")
  const factsOf = useFacts(receipt)
  return (
    <section className="route" aria-label={t("receipt.route")}>
      <div className="flex items-center justify-between gap-3">
        <h3 className="text-13 font-label">{t("receipt.route")}</h3>
        <span className="text-12 text-ink-3">{t("receipt.operators")}</span>
      </div>
      <ol>
        {attempts.map((attempt, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the tries of a finished call never move
          <li key={index}>
            <State tone={isGood(attempt) ? "good" : "warn"}>
              <Link
                className="truncate"
                to="/console/admin/channels/$channelId"
                params={{ channelId: attempt.channel_id }}
              >
                {attempt.channel}
              </Link>
            </State>
            <span className="fig text-ink-2">{countText(attempt.latency_ms)} ms</span>
            <span className="facts">{factsOf(attempt).join(" · ")}</span>
          </li>
        ))}
      </ol>
    </section>
  )
}
