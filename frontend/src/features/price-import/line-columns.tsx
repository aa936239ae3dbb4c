import { TriangleAlert } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { PriceLine } from "../../api/types"
import { Nothing, useLedger } from "../../components/amount"
import type { Column } from "../../components/ledger-table"
import { MeterRate } from "../../components/meter-rate"
import { type Meter, perOf } from "../../components/rates"
import { useMeterName } from "../../components/receipt"
import { State, Tag, type Tone } from "../../components/state"
import { changeText, partText } from "../../format/part"
import type { Change } from "./search"

type Difference = PriceLine["differences"][number]

const TONES: Record<Change, Tone> = {
  new: "good",
  dearer: "warn",
  cheaper: "warn",
  mixed: "half",
  same: "off",
}

export function ChangeState({ line }: { line: PriceLine }) {
  const { t } = useTranslation("price-imports")
  if (line.state === "accepted") return <Tag tone="good">{t("states.accepted")}</Tag>
  if (line.state === "skipped") return <Tag>{t("states.skipped")}</Tag>
  return <State tone={TONES[line.change]}>{t(`changes.${line.change}`)}</State>
}

export function MarginPart({ micros }: { micros: number | null }) {
  if (micros === null) return <Nothing />
  return <span className={`fig ${micros < 0 ? "text-bad" : ""}`}>{partText(micros)}</span>
}

function Proposed({ difference }: { difference: Difference | undefined }) {
  if (!difference) return <Nothing />
  const { meter, current, proposed, change_micros } = difference
  return (
    <>
      <MeterRate meter={meter as Meter} rate={proposed} />
      <span className="sub fig">
        {change_micros ? (
          changeText(change_micros)
        ) : current === null ? (
          ""
        ) : (
          <MeterRate meter={meter as Meter} rate={current} />
        )}
      </span>
    </>
  )
}

function differenceIn(row: PriceLine, meter: Meter): Difference | undefined {
  return row.differences.find((one) => one.meter === meter)
}

/** The thinnest margin of the meters whose other side is known. */
export function thinnest(line: PriceLine): number | null {
  const known = line.differences.flatMap(({ margin_micros }) =>
    margin_micros === null ? [] : [margin_micros],
  )
  return known.length > 0 ? Math.min(...known) : null
}

export function useLineColumns(choice: {
  chosen: ReadonlySet<number>
  lines: PriceLine[]
  onChoose: (numbers: number[], isOn: boolean) => void
}): Column<PriceLine>[] {
  const { t } = useTranslation("price-imports")
  const { sign } = useLedger()
  const meterName = useMeterName()
  const open = choice.lines.filter(({ state }) => state !== "accepted").map(({ line }) => line)
  const isEvery = open.length > 0 && open.every((line) => choice.chosen.has(line))
  return [
    {
      id: "choose",
      head: (
        <input
          type="checkbox"
          className="box"
          aria-label={t("chooseAll")}
          checked={isEvery}
          disabled={open.length === 0}
          onChange={(event) => choice.onChoose(open, event.target.checked)}
        />
      ),
      className: "w-8",
      bone: 16,
      cell: (row) => (
        <input
          type="checkbox"
          className="box"
          aria-label={t("choose", { name: row.model })}
          checked={choice.chosen.has(row.line)}
          disabled={row.state === "accepted"}
          onClick={(event) => event.stopPropagation()}
          onChange={(event) => choice.onChoose([row.line], event.target.checked)}
        />
      ),
    },
    {
      id: "model",
      head: t("model"),
      bone: 150,
      cell: (row) => (
        <>
          <span className="name mono">{row.model}</span>
          <span className="sub">
            {[row.vendor, row.name !== row.model && row.name].filter(Boolean).join(" · ") || "–"}
            {!row.is_known && ` · ${t("notHere")}`}
            {row.unmapped.length > 0 && (
              <>
                {" · "}
                <TriangleAlert className="i i-sm inline" aria-hidden="true" />{" "}
                {t("unmapped", { count: row.unmapped.length })}
              </>
            )}
          </span>
          <span className="sub md:hidden">
            {(["input", "output"] as const).map((meter) => (
              <span key={meter} className="mr-3">
                {meterName(meter)} <MeterRate meter={meter} rate={differenceIn(row, meter)?.proposed} />
              </span>
            ))}
          </span>
        </>
      ),
    },
    ...(["input", "output"] as const).map(
      (meter): Column<PriceLine> => ({
        id: meter,
        head: meterName(meter),
        unit: perOf(meter) === 1 ? sign : `${sign} / 1M`,
        kind: "num",
        className: "max-md:hidden",
        cell: (row) => <Proposed difference={differenceIn(row, meter)} />,
      }),
    ),
    {
      id: "margin",
      head: t("margin"),
      kind: "num",
      className: "max-lg:hidden",
      cell: (row) => <MarginPart micros={thinnest(row)} />,
    },
    { id: "change", head: t("change"), cell: (row) => <ChangeState line={row} /> },
  ]
}
