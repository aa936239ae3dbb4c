import { type KeyboardEvent, type PointerEvent, useState } from "react"
import { columnDecimals, shortAmount, shortDecimals } from "../../format/exact"
import { exactAmount, paddedAmount } from "../../format/quota"
import { useLedger } from "../amount"
import { labelled, largest, lengthOf, ticks } from "./scale"

const WIDTH = 1080
const HEIGHT = 208
const GAP = 1
const LABELS = 5

export type Column = {
  id: string
  /** Under the column, where there is room. */
  label: string
  /** In full, above the values of the column. */
  title: string
  total: bigint
  /** As many as there are series, from the bottom up. */
  parts: bigint[]
}

export type Series = { name: string; tint: "c1" | "c2" | "c3" | "c4" }

function Bar({ column, series, at, width, most }: BarProps) {
  let below = HEIGHT
  return (
    <g>
      {column.parts.map((part, index) => {
        const height = lengthOf(part, most, HEIGHT)
        if (height <= 0) return null
        below -= height
        const inner = Math.max(height - GAP, Math.min(height, 0.75))
        const { name, tint } = series[index] ?? { name: "", tint: "c1" }
        return <rect key={name} className={tint} x={at} y={below} width={width} height={inner} />
      })}
    </g>
  )
}

type BarProps = { column: Column; series: Series[]; at: number; width: number; most: bigint }

function Tip({ column, series, left }: { column: Column; series: Series[]; left: number }) {
  const { unit, sign } = useLedger()
  const decimals = columnDecimals([column.total, ...column.parts], unit)
  return (
    <div
      className="tip chart-tip"
      style={left > 50 ? { right: `${100 - left}%` } : { left: `${left}%` }}
      data-side={left > 50 ? "left" : "right"}
    >
      <b>{column.title}</b>
      <b>
        {sign}
        {paddedAmount(column.total, unit, decimals)}
      </b>
      {series.length > 1 &&
        series.map(({ name }, index) => (
          <div key={name} className="contents">
            <span className="q truncate">{name}</span>
            <span>{paddedAmount(column.parts[index] ?? 0n, unit, decimals)}</span>
          </div>
        ))}
    </div>
  )
}

/**
 * Amounts side by side, each made up of parts. The pointer or the arrow keys choose a column, whose values show exactly;
 * to a screen reader it is a slider whose value is the column.
 */
export function StackedBars({
  label,
  columns,
  series,
}: {
  label: string
  columns: Column[]
  series: Series[]
}) {
  const { unit, sign } = useLedger()
  const [chosen, setChosen] = useState<number | null>(null)
  const marks = ticks(largest(columns.map(({ total }) => total)))
  const most = marks.at(-1) ?? 1n
  const decimals = shortDecimals(marks, unit)
  const labels = marks.map((mark) => (mark === 0n ? "0" : sign + shortAmount(mark, unit, decimals)))
  const slot = WIDTH / columns.length
  const width = slot * (columns.length > 45 ? 0.76 : 0.667)
  const column = chosen === null ? undefined : columns[chosen]

  const point = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect()
    const at = Math.floor(((event.clientX - box.left) / box.width) * columns.length)
    setChosen(Math.max(0, Math.min(columns.length - 1, at)))
  }
  const press = (event: KeyboardEvent) => {
    const last = columns.length - 1
    const steps: Record<string, number> = {
      ArrowLeft: Math.max(0, (chosen ?? last + 1) - 1),
      ArrowRight: Math.min(last, (chosen ?? last) + 1),
      Home: 0,
      End: last,
    }
    const next = event.key === "Escape" ? null : steps[event.key]
    if (next === undefined) return
    event.preventDefault()
    setChosen(next)
  }
  const said = (at: Column) =>
    [
      `${at.title}: ${sign}${exactAmount(at.total, unit)}`,
      ...(series.length > 1
        ? series.map(({ name }, index) => `${name} ${exactAmount(at.parts[index] ?? 0n, unit)}`)
        : []),
    ].join(", ")
  const shown = column ?? columns.at(-1)
  return (
    <div className="chart">
      <div
        className="y"
        style={{ width: `${Math.max(...labels.map(({ length }) => length))}ch` }}
        aria-hidden="true"
      >
        {marks.map((mark, index) => (
          <span key={String(mark)} style={{ top: HEIGHT - lengthOf(mark, most, HEIGHT) }}>
            {labels[index]}
          </span>
        ))}
      </div>
      <div
        className="plot"
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-valuemin={1}
        aria-valuemax={columns.length}
        aria-valuenow={(chosen ?? columns.length - 1) + 1}
        aria-valuetext={shown && said(shown)}
        onPointerMove={point}
        onPointerDown={point}
        onPointerLeave={() => setChosen(null)}
        onBlur={() => setChosen(null)}
        onKeyDown={press}
      >
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {marks.slice(1).map((mark) => {
            const y = HEIGHT - lengthOf(mark, most, HEIGHT)
            return <line key={String(mark)} className="gridline" x1="0" x2={WIDTH} y1={y} y2={y} />
          })}
          {chosen !== null && <rect className="lane" x={chosen * slot} y="0" width={slot} height={HEIGHT} />}
          {columns.map((each, index) => (
            <Bar
              key={each.id}
              column={each}
              series={series}
              at={index * slot + (slot - width) / 2}
              width={width}
              most={most}
            />
          ))}
          <line className="base" x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
        </svg>
        {column && chosen !== null && (
          <Tip
            column={column}
            series={series}
            left={((chosen < columns.length / 2 ? chosen + 1 : chosen) * 100) / columns.length}
          />
        )}
      </div>
      <div className="x" aria-hidden="true">
        {labelled(columns.length, LABELS).map((at) => (
          <span
            key={columns[at]?.id}
            style={
              at === columns.length - 1
                ? { right: 0, transform: "none" }
                : { left: `${((at + 0.5) * 100) / columns.length}%` }
            }
          >
            {columns[at]?.label}
          </span>
        ))}
      </div>
    </div>
  )
}
