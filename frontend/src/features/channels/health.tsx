import { useTranslation } from "react-i18next"
import type { Channel } from "../../api/types"
import { useReasonText } from "../../components/reason"
import { State, type Tone } from "../../components/state"
import { When } from "../../components/when"

const TONES: Record<Channel["health"]["state"], Tone> = {
  healthy: "good",
  watched: "warn",
  cooling: "bad",
  probing: "half",
  out_of_service: "bad",
  off: "off",
}

/** How a channel is doing, and what an operator has to know about it. */
export function Health({ channel }: { channel: Channel }) {
  const { t } = useTranslation("channels")
  const reasonText = useReasonText()
  const { state, reason, until, failures_in_a_row } = channel.health
  const refused = channel.credentials.filter((one) => one.disabled_by === "gateway").length
  const facts = [
    reason && reasonText(reason),
    state === "out_of_service" && t("everyDisabled"),
    failures_in_a_row > 1 && t("inARow", { count: failures_in_a_row }),
    state !== "out_of_service" && refused > 0 && t("credentialEnded", { count: refused }),
    channel.concerns.includes("test_failed") && t("testFailed"),
  ].filter(Boolean)
  const isTroubled = state === "healthy" && channel.concerns.length > 0
  return (
    <>
      <State tone={isTroubled ? "warn" : TONES[state]}>{t(`state.${state}`)}</State>
      {(facts.length > 0 || until) && (
        <span className="sub block text-12 text-ink-3">
          {facts.join(", ")}
          {until && state === "cooling" && (
            <>
              {facts.length > 0 && " · "}
              <When at={until} />
            </>
          )}
        </span>
      )}
    </>
  )
}
