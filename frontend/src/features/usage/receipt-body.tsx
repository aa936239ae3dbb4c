import { Check } from "lucide-react"
import { Trans, useTranslation } from "react-i18next"
import type { Key, Receipt } from "../../api/types"
import { useLedger } from "../../components/amount"
import { ExactAmount } from "../../components/exact-amount"
import { Note } from "../../components/note"
import { Receipt as ReceiptTable, useMeterName } from "../../components/receipt"
import { Tag } from "../../components/state"
import { useNow } from "../../components/when"
import { clockAndDay } from "../../format/log-time"
import { countText, difference, paddedAmount, sharedDecimals } from "../../format/quota"
import { exactTime } from "../../format/time"
import { RouteTaken } from "./route-taken"
import { Timing } from "./timing"

const TONES = { ok: "good", partial: "warn", cancelled: undefined, failed: "bad" } as const
const DOORS = { "chat.completions": "chat", completions: "completions", embeddings: "embeddings" } as const
const SOURCES = ["provider", "provider_partial", "estimated", "none"] as const

function Outcome({ receipt }: { receipt: Receipt }) {
  const { t } = useTranslation("usage")
  const state = (["ok", "partial", "cancelled", "failed"] as const).find((name) => name === receipt.status)
  return (
    <Tag tone={state && TONES[state]}>
      {state === "ok" && <Check className="i" aria-hidden="true" />}
      {state ? t(`outcome.${state}`) : receipt.status}
    </Tag>
  )
}

function Hero({ receipt }: { receipt: Receipt }) {
  const { t } = useTranslation(["usage", "common"])
  return (
    <div className="flex items-start justify-between gap-3">
      <div>
        <span className="text-12 text-ink-3">{t("receipt.charged")}</span>
        <div className="rc-fig">
          {receipt.charged === 0 ? t("receipt.nothing") : <ExactAmount quota={receipt.charged} withSign />}
        </div>
        <span className="text-12 text-ink-3 fig">
          {t("common:quota", { quota: countText(receipt.charged) })}
        </span>
      </div>
      <Outcome receipt={receipt} />
    </div>
  )
}

/** Which door was called and how the answer came, in words; a door this build does not know under its own name. */
export function useCallWords(): (receipt: Receipt) => string {
  const { t } = useTranslation("usage")
  return (receipt) => {
    const known = DOORS[receipt.endpoint as keyof typeof DOORS] as "chat" | undefined
    const door = known ? t(`door.${known}`) : receipt.endpoint
    return [door, receipt.is_streaming ? t("receipt.streamed") : t("receipt.whole")]
      .filter(Boolean)
      .join(", ")
  }
}

function Facts({ receipt, apiKey }: { receipt: Receipt; apiKey: Key | undefined }) {
  const { t, i18n } = useTranslation("usage")
  const now = useNow()
  const callWords = useCallWords()
  return (
    <dl className="kv">
      <dt>{t("receipt.when")}</dt>
      <dd className="fig">
        <time dateTime={receipt.created_at} title={exactTime(receipt.created_at, i18n.language)}>
          {clockAndDay(receipt.created_at, now, i18n.language)}
        </time>
      </dd>
      <dt>{t("model")}</dt>
      <dd className="mono">{receipt.model}</dd>
      {receipt.requested_model && (
        <>
          <dt>{t("receipt.asked")}</dt>
          <dd className="mono">{receipt.requested_model}</dd>
        </>
      )}
      <dt>{t("key")}</dt>
      <dd>
        {apiKey ? (
          <>
            {apiKey.name} <span className="mono text-ink-3">{apiKey.prefix}…</span>
          </>
        ) : (
          <span className="mono">{receipt.key_id}</span>
        )}
      </dd>
      <dt>{t("receipt.call")}</dt>
      <dd>{callWords(receipt)}</dd>
      {receipt.provider_cost !== null && (
        <>
          <dt>{t("receipt.providerCost")}</dt>
          <dd>
            <ExactAmount quota={receipt.provider_cost} withSign />{" "}
            <span className="text-ink-3">{t("receipt.operators")}</span>
          </dd>
        </>
      )}
    </dl>
  )
}

function Formula({ receipt }: { receipt: Receipt }) {
  const { t } = useTranslation("usage")
  const { unit } = useLedger()
  const covered = receipt.cost - receipt.charged
  const amounts = receipt.lines.map((line) => line.amount)
  const change = difference(receipt.cost, receipt.subtotal)
  const decimals = sharedDecimals([...amounts, receipt.subtotal, receipt.cost, receipt.charged, change], unit)
  return (
    <ReceiptTable
      lines={receipt.lines}
      subtotal={receipt.subtotal}
      multiplierMicros={receipt.multiplier_micros}
      group={receipt.group}
      total={receipt.cost}
      totalLabel={t("receipt.total")}
      also={[receipt.charged]}
      after={
        covered > 0
          ? [
              { label: t("receipt.covered"), value: paddedAmount(-covered, unit, decimals) },
              { label: t("receipt.charged"), value: <b>{paddedAmount(receipt.charged, unit, decimals)}</b> },
            ]
          : undefined
      }
    />
  )
}

function FinePrint({ receipt }: { receipt: Receipt }) {
  const { t } = useTranslation("usage")
  const meterName = useMeterName()
  const source = SOURCES.find((name) => name === receipt.usage_source)
  return (
    <p className="help">
      {receipt.rate_card_id && (
        <>
          <Trans
            t={t}
            i18nKey="receipt.card"
            values={{ id: receipt.rate_card_id }}
            components={{ 1: <span className="mono break-all" /> }}
          />{" "}
        </>
      )}
      {receipt.unpriced && receipt.unpriced.length > 0 && (
        <>{t("receipt.unpriced", { meters: receipt.unpriced.map(meterName).join(", ") })} </>
      )}
      {source ? t(`source.${source}`) : receipt.usage_source}{" "}
      {receipt.lines.length > 0 && t("receipt.rounded")}
    </p>
  )
}

/** One call in full: what was charged, what happened, and how the charge comes about. */
export function ReceiptBody({ receipt, apiKey }: { receipt: Receipt; apiKey: Key | undefined }) {
  const { t } = useTranslation("usage")
  return (
    <>
      <Hero receipt={receipt} />
      <Facts receipt={receipt} apiKey={apiKey} />
      <Timing receipt={receipt} />
      {receipt.lines.length > 0 ? <Formula receipt={receipt} /> : <Note>{t("receipt.noLines")}</Note>}
      {receipt.charged < receipt.cost && <p className="help">{t("receipt.coveredText")}</p>}
      {receipt.attempts && receipt.attempts.length > 0 && (
        <RouteTaken receipt={receipt} attempts={receipt.attempts} />
      )}
      <FinePrint receipt={receipt} />
    </>
  )
}
