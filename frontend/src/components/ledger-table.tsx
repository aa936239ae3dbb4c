import type { KeyboardEvent, ReactNode } from "react"
import { Failed } from "./problem"

export type Column<Row> = {
  id: string
  head: ReactNode
  /** The unit of a column of figures, once, in its head. */
  unit?: string
  cell: (row: Row) => ReactNode
  kind?: "text" | "num" | "act"
  /** For hiding a column on a narrow screen ("max-md:hidden") or setting its width. */
  className?: string
  /** The width of its skeleton, in px. */
  bone?: number
}

type Props<Row> = {
  label: string
  columns: Column<Row>[]
  /** Undefined while loading. */
  rows: Row[] | undefined
  keyOf: (row: Row) => string
  error?: unknown
  onRetry?: () => void
  failedTitle?: string
  /** What will appear here and how to make it appear. */
  empty: ReactNode
  bones?: number
  isTwoLine?: boolean
  isSticky?: boolean
  /** Opens a row: by click, by Enter; arrows walk. */
  onOpen?: (row: Row) => void
  isOn?: (row: Row) => boolean
  foot?: ReactNode
  className?: string
}

function cellClass<Row>(column: Column<Row>): string | undefined {
  return (
    [column.kind === "num" && "num", column.kind === "act" && "act", column.className]
      .filter(Boolean)
      .join(" ") || undefined
  )
}

function walk(event: KeyboardEvent<HTMLTableRowElement>): void {
  const down = event.key === "ArrowDown"
  if (!down && event.key !== "ArrowUp") return
  const next = down ? event.currentTarget.nextElementSibling : event.currentTarget.previousElementSibling
  if (next instanceof HTMLElement) {
    event.preventDefault()
    next.focus()
  }
}

/** A list with its four states. The head stays in each, so nothing jumps when the rows arrive. */
export function LedgerTable<Row>(props: Props<Row>) {
  const { columns, rows, error, onOpen } = props
  const isLoading = rows === undefined && !error
  const classes = ["ledger", props.isTwoLine && "two", props.isSticky && "ledger-sticky", props.className]
  return (
    <>
      <table
        className={classes.filter(Boolean).join(" ")}
        aria-label={props.label}
        aria-busy={isLoading || undefined}
      >
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.id} scope="col" className={cellClass(column)}>
                {column.kind === "act" ? <span className="sr-only">{column.head}</span> : column.head}
                {column.unit && <span className="unit">{column.unit}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {isLoading &&
            Array.from({ length: props.bones ?? 5 }, (_, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: skeleton rows are all alike
              <tr key={index} className="is-bone">
                {columns.map((column) => (
                  <td key={column.id} className={cellClass(column)}>
                    {column.kind !== "act" && (
                      <span
                        className="bone"
                        style={{ width: column.bone ?? (column.kind === "num" ? 56 : 96) }}
                      />
                    )}
                  </td>
                ))}
              </tr>
            ))}
          {rows?.map((row) => (
            <tr
              key={props.keyOf(row)}
              className={props.isOn?.(row) ? "is-on" : undefined}
              {...(onOpen && {
                tabIndex: 0,
                className: `is-open ${props.isOn?.(row) ? "is-on" : ""}`,
                onClick: () => onOpen(row),
                onKeyDown: (event: KeyboardEvent<HTMLTableRowElement>) => {
                  if (event.target !== event.currentTarget) return
                  if (event.key === "Enter") onOpen(row)
                  else walk(event)
                },
              })}
            >
              {columns.map((column) => (
                <td key={column.id} className={cellClass(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
        {rows && rows.length > 0 && props.foot && <tfoot>{props.foot}</tfoot>}
      </table>
      {error && rows === undefined ? (
        <Failed title={props.failedTitle} error={error} onRetry={props.onRetry} />
      ) : null}
      {rows?.length === 0 && <div className="state-box">{props.empty}</div>}
    </>
  )
}
