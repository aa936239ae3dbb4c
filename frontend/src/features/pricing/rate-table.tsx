import { CornerDownRight } from "lucide-react"
import { Fragment } from "react"
import { useTranslation } from "react-i18next"
import type { PricedModel } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Tag } from "../../components/state"
import { multiplierText, rateText, windowText } from "../../format/quota"
import { columnRate, soleMeter, type Vendor } from "./models"
import { COLUMNS, Extras, RateCell, shownFor, useRateWords } from "./rate-cell"
import type { Shown } from "./search"

const HEADS = { input: "input", cached_input: "cached", output: "output" } as const

type Tier = NonNullable<PricedModel["tiers"]>[number]

function useTierName(): (when: Tier["when"]) => string {
  const { t } = useTranslation("pricing")
  return (when) =>
    [
      when.input_tokens_above != null && t("tierAbove", { tokens: windowText(when.input_tokens_above) }),
      when.service_tier && t("tierService", { name: when.service_tier }),
      when.endpoint && t("tierEndpoint", { name: when.endpoint }),
    ]
      .filter(Boolean)
      .join(", ")
}

function ModelRows({
  model,
  per,
  isOn,
  onChoose,
  decimals,
}: {
  model: PricedModel
  per: Shown
  isOn: boolean
  onChoose: (model: string) => void
  decimals: number
}) {
  const { t } = useTranslation("pricing")
  const { sign } = useLedger()
  const words = useRateWords(per)
  const tierName = useTierName()
  const sole = soleMeter(model)
  const request = sole?.[0] === "request" ? undefined : model.rates.request
  const micros = model.multiplier_micros
  const on = isOn ? "is-on" : ""
  return (
    <>
      <tr className={on} aria-selected={isOn}>
        <td className="cell-name">
          <button
            type="button"
            className="mono name pick"
            onClick={() => onChoose(model.model)}
            aria-pressed={isOn}
          >
            {model.model}
          </button>{" "}
          {request && (
            <span className="plus" title={words.base(request, micros)}>
              <Tag>{t("perCall", { sign, rate: words.text(request, micros) })}</Tag>
            </span>
          )}
          {model.description && (
            <span className="sub line-clamp-2! max-md:hidden!" title={model.description}>
              {model.description}
            </span>
          )}
          {model.context_window != null && (
            <span className="sub md:hidden">
              {t("contextShort", { window: windowText(model.context_window) })}
            </span>
          )}
          <Extras model={model} per={per} />
        </td>
        <td className="num ctx q">{model.context_window != null ? windowText(model.context_window) : "–"}</td>
        {sole ? (
          <>
            <td className="num q per" colSpan={2}>
              {words.perWhat(sole[0])}
            </td>
            <td className="num" title={words.base(sole[1], micros)}>
              <span className="fig">{words.text(sole[1], micros)}</span>
            </td>
          </>
        ) : (
          COLUMNS.map((meter) => (
            <RateCell
              key={meter}
              rates={model.rates}
              meter={meter}
              micros={micros}
              per={per}
              decimals={decimals}
            />
          ))
        )}
        <td className="num mx">
          <span className="mult">{multiplierText(micros)}</span>
        </td>
      </tr>
      {model.tiers?.map((tier) => (
        <tr key={JSON.stringify(tier.when)} className={`tier ${on}`}>
          <td className="cell-name">
            <span className="sub">
              <CornerDownRight className="i i-sm" aria-hidden="true" />
              {tierName(tier.when)}
            </span>
          </td>
          <td className="ctx" />
          {COLUMNS.map((meter) => (
            <RateCell
              key={meter}
              // A tier states the rates that differ; the others stay as they are.
              rates={{ ...model.rates, ...tier.rates }}
              meter={meter}
              micros={micros}
              per={per}
              decimals={decimals}
            />
          ))}
          <td className="num mx">
            <span className="mult">{multiplierText(micros)}</span>
          </td>
        </tr>
      ))}
    </>
  )
}

/** The most decimals of any token rate on the page, so that all points stand in line. */
function useDecimals(vendors: Vendor[], per: Shown): number {
  const { unit } = useLedger()
  const lengths = vendors
    .flatMap(({ models }) => models)
    .flatMap((model) =>
      [model.rates, ...(model.tiers ?? []).map((tier) => tier.rates)].flatMap((rates) =>
        COLUMNS.map((meter) => {
          const { rate } = columnRate(rates, meter)
          if (!rate) return 2
          return rateText(rate, model.multiplier_micros, shownFor(rate, per), unit).split(".")[1]?.length ?? 2
        }),
      ),
    )
  return Math.min(Math.max(2, ...lengths), per === "1k" ? 9 : 6)
}

export function RateTable({
  vendors,
  per,
  chosen,
  onChoose,
}: {
  /** Undefined while loading. */
  vendors: Vendor[] | undefined
  per: Shown
  chosen: string | undefined
  onChoose: (model: string) => void
}) {
  const { t } = useTranslation("pricing")
  const { sign } = useLedger()
  const decimals = useDecimals(vendors ?? [], per)
  const unit = `${sign} / ${per === "1k" ? "1K" : "1M"}`
  return (
    <table
      className="ledger ledger-sticky two rates"
      aria-label={t("table")}
      aria-busy={!vendors || undefined}
    >
      <thead>
        <tr>
          <th scope="col">{t("model")}</th>
          <th scope="col" className="num ctx">
            {t("context")}
          </th>
          {COLUMNS.map((meter) => (
            <th key={meter} scope="col" className="num">
              {t(HEADS[meter])}
              <span className="unit">{unit}</span>
            </th>
          ))}
          <th scope="col" className="num mx">
            {t("multiplier")}
          </th>
        </tr>
      </thead>
      {!vendors && (
        <tbody>
          {Array.from({ length: 8 }, (_, row) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: skeleton rows are all alike
            <tr key={row} className="is-bone">
              <td>
                <span className="bone" style={{ width: 90 + ((row * 37) % 60) }} />
              </td>
              {["ctx", "", "", "", "mx"].map((name, column) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: columns never move
                <td key={column} className={`num ${name}`}>
                  <span className="bone" style={{ width: 40 }} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      )}
      {vendors?.map((vendor) => (
        <Fragment key={vendor.name ?? ""}>
          <tbody>
            <tr className="sect">
              <th colSpan={6} scope="rowgroup" data-unit={unit}>
                {vendor.name ?? t("other")}
              </th>
            </tr>
            {vendor.models.map((model) => (
              <ModelRows
                key={model.model}
                model={model}
                per={per}
                isOn={model.model === chosen}
                onChoose={onChoose}
                decimals={decimals}
              />
            ))}
          </tbody>
        </Fragment>
      ))}
    </table>
  )
}
