import { type FormEvent, useState } from "react"
import { useTranslation } from "react-i18next"
import type { PriceImport, PriceLine } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { Field } from "../../components/field"
import { Input } from "../../components/input"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { MeterRate } from "../../components/meter-rate"
import { Note } from "../../components/note"
import { useProblemText } from "../../components/problem"
import type { Meter } from "../../components/rates"
import { useMeterName } from "../../components/receipt"
import { changeText } from "../../format/part"
import { countText } from "../../format/quota"
import { useImportActs } from "./import-acts"
import { ChangeState, MarginPart } from "./line-columns"

type Difference = PriceLine["differences"][number]
type SourceRates = PriceLine["source_rates"]

function useDifferenceColumns(isCost: boolean): Column<Difference>[] {
  const { t } = useTranslation("price-imports")
  const { sign } = useLedger()
  const meterName = useMeterName()
  return [
    { id: "meter", head: t("meter"), cell: (row) => meterName(row.meter) },
    {
      id: "now",
      head: t("now"),
      unit: sign,
      kind: "num",
      cell: (row) => <MeterRate meter={row.meter as Meter} rate={row.current} />,
    },
    {
      id: "then",
      head: t("then"),
      unit: sign,
      kind: "num",
      cell: (row) => (
        <>
          <MeterRate meter={row.meter as Meter} rate={row.proposed} />
          {row.change_micros ? <span className="sub fig">{changeText(row.change_micros)}</span> : null}
        </>
      ),
    },
    {
      id: "against",
      head: isCost ? t("price") : t("cost"),
      unit: sign,
      kind: "num",
      className: "max-md:hidden",
      cell: (row) => <MeterRate meter={row.meter as Meter} rate={row.against} />,
    },
    {
      id: "margin",
      head: t("margin"),
      kind: "num",
      cell: (row) => <MarginPart micros={row.margin_micros} />,
    },
  ]
}

function Stated({ rates, currency }: { rates: SourceRates; currency: string | null }) {
  const { t } = useTranslation("price-imports")
  const meterName = useMeterName()
  return (
    <dl className="import-facts">
      {Object.entries(rates).map(([meter, rate]) => (
        <div key={meter}>
          <dt>{meterName(meter)}</dt>
          <dd className="fig">
            {rate.price} {currency ?? t("theirUnit")} / {countText(rate.per)}
          </dd>
        </div>
      ))}
    </dl>
  )
}

function useConditionText(): (when: PriceLine["source_tiers"][number]["when"]) => string {
  const { t } = useTranslation("price-imports")
  return (when) =>
    [
      when.input_tokens_above != null && t("above", { tokens: countText(when.input_tokens_above) }),
      when.service_tier != null && t("serviceTier", { name: when.service_tier }),
      when.endpoint != null && t("endpoint", { name: when.endpoint }),
    ]
      .filter(Boolean)
      .join(", ")
}

/** What the model is called here. The line is compared with the price of the model of that name. */
function NameForm({
  line,
  found,
  onRenamed,
}: {
  line: PriceLine
  found: PriceImport
  onRenamed: (line: PriceLine) => void
}) {
  const { t } = useTranslation(["price-imports", "common"])
  const [name, setName] = useState(line.model)
  const { rename } = useImportActs(found.id)
  const textOf = useProblemText()
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!rename.isPending) rename.mutate({ line: line.line, model: name.trim() }, { onSuccess: onRenamed })
  }
  return (
    <form className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-3" onSubmit={submit}>
      <Field
        label={t("calledHere")}
        help={line.name === line.model ? t("calledHereHelp") : t("calledThere", { name: line.name })}
        error={rename.error ? textOf(rename.error) : null}
      >
        {(ids) => (
          <Input
            {...ids}
            className="mono"
            value={name}
            maxLength={200}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <Button
        className="mt-[26px]"
        type="submit"
        isBusy={rename.isPending}
        disabled={["", line.model].includes(name.trim())}
      >
        {t("rename")}
      </Button>
    </form>
  )
}

/** One line in full: what the list says, what it comes to here, and what would change. */
export function LineDetail({
  line,
  found,
  onRenamed,
}: {
  line: PriceLine
  found: PriceImport
  onRenamed: (line: PriceLine) => void
}) {
  const { t } = useTranslation("price-imports")
  const conditionText = useConditionText()
  const isCost = found.channel_id !== null
  return (
    <div className="grid gap-5 px-6 py-4">
      <div className="flex flex-wrap items-center gap-3">
        <b className="mono whitespace-normal wrap-anywhere">{line.model}</b>
        <ChangeState line={line} />
      </div>
      {!isCost && line.state !== "accepted" && (
        <NameForm key={line.line} line={line} found={found} onRenamed={onRenamed} />
      )}
      <LedgerTable
        label={t("differences")}
        columns={useDifferenceColumns(isCost)}
        rows={line.differences}
        keyOf={(row) => row.meter}
        empty={null}
      />
      <p className="help">{isCost ? t("marginOfCost") : t("marginOfPrice")}</p>
      {line.unmapped.length > 0 && (
        <Note tone="warn">
          <b>{t("unmappedTitle")}</b>
          <span className="mono block whitespace-normal wrap-anywhere">{line.unmapped.join(", ")}</span>
        </Note>
      )}
      <section className="grid gap-2">
        <h3>{t("stated")}</h3>
        <Stated rates={line.source_rates} currency={found.currency} />
        {line.source_tiers.map((tier) => (
          <div key={JSON.stringify(tier.when)} className="grid gap-1">
            <span className="help">{conditionText(tier.when)}</span>
            <Stated rates={tier.rates} currency={found.currency} />
          </div>
        ))}
      </section>
    </div>
  )
}
