import { Ellipsis, KeyRound, Pencil, Power, Timer, Trash2, UserRound } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { Budget, Key } from "../../api/types"
import { Amount, useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Menu, MenuItem, MenuRule } from "../../components/menu"
import { Bar, State, Tag, type Tone } from "../../components/state"
import { useNow, When } from "../../components/when"
import { amountInput } from "../../format/quota"
import { dayAndTime, shortDate } from "../../format/time"
import { budgetPercent, type KeyState, keyState, spentPercent } from "./key-state"

const TONES: Record<KeyState, Tone> = {
  active: "good",
  near: "warn",
  limit: "bad",
  disabled: "off",
  expired: "off",
}

export type KeyActions = {
  onEdit: (key: Key) => void
  onToggle: (key: Key) => void
  onDelete: (key: Key) => void
  onRotate: (key: Key) => void
  onEndGrace: (key: Key) => void
  onHandOver?: (key: Key) => void
}

function barTone(percent: number): "bad" | "warn" | undefined {
  return percent >= 100 ? "bad" : percent >= 90 ? "warn" : undefined
}

/** What is spent of a budget in its running period, and when that ends. */
function BudgetLine({ budget, isOff }: { budget: Budget; isOff: boolean }) {
  const { t, i18n } = useTranslation("keys")
  const { unit } = useLedger()
  const percent = budgetPercent(budget)
  const resets = budget.resets_at && dayAndTime(budget.resets_at, i18n.language)
  return (
    <div className="budget mt-1" title={resets ? t("resets", { at: resets }) : undefined}>
      <div className="fig flex items-center justify-between gap-2 text-12">
        <span>
          <span className="quiet">{t(`period.${budget.period}`)} </span>
          <Amount quota={budget.spent} as="balance" />
        </span>
        <span className="quiet">{t("ofLimit", { limit: amountInput(budget.limit, unit) })}</span>
      </div>
      <Bar percent={percent} tone={isOff ? "ink" : barTone(percent)} />
      {percent >= 100 && resets && <span className="sub">{t("resets", { at: resets })}</span>}
    </div>
  )
}

function Spent({ item, state }: { item: Key; state: KeyState }) {
  const { t } = useTranslation("keys")
  const { unit } = useLedger()
  const isOff = state === "disabled" || state === "expired"
  return (
    <>
      <div className="fig flex flex-wrap items-center justify-between gap-x-2">
        <Amount quota={item.spent} as="balance" />
        <span className="quiet">
          {item.spend_limit == null
            ? t("noLimit")
            : t("ofLimit", { limit: amountInput(item.spend_limit, unit) })}
        </span>
      </div>
      <Bar percent={spentPercent(item)} tone={isOff ? "ink" : barTone(spentPercent(item) ?? 0)} />
      {item.budgets.map((budget) => (
        <BudgetLine key={budget.period} budget={budget} isOff={isOff} />
      ))}
    </>
  )
}

function Actions({
  item,
  onEdit,
  onToggle,
  onDelete,
  onRotate,
  onEndGrace,
  onHandOver,
}: { item: Key } & KeyActions) {
  const { t } = useTranslation("keys")
  const isOff = item.status === "disabled"
  return (
    <Menu
      trigger={
        <Button look="ghost" size="sm" isIcon aria-label={t("actionsFor", { name: item.name })}>
          <Ellipsis className="i" aria-hidden="true" />
        </Button>
      }
    >
      <MenuItem icon={<Pencil className="i" aria-hidden="true" />} onPress={() => onEdit(item)}>
        {t("edit")}
      </MenuItem>
      <MenuItem icon={<Power className="i" aria-hidden="true" />} onPress={() => onToggle(item)}>
        {isOff ? t("enable") : t("disable")}
      </MenuItem>
      <MenuItem icon={<KeyRound className="i" aria-hidden="true" />} onPress={() => onRotate(item)}>
        {t("rotate.act")}
      </MenuItem>
      {item.previous_secret_until && (
        <MenuItem icon={<Timer className="i" aria-hidden="true" />} onPress={() => onEndGrace(item)}>
          {t("rotate.end")}
        </MenuItem>
      )}
      {onHandOver && (
        <MenuItem icon={<UserRound className="i" aria-hidden="true" />} onPress={() => onHandOver(item)}>
          {t("handOver.act")}
        </MenuItem>
      )}
      <MenuRule />
      <MenuItem isBad icon={<Trash2 className="i" aria-hidden="true" />} onPress={() => onDelete(item)}>
        {t("delete")}
      </MenuItem>
    </Menu>
  )
}

function useColumns(actions: KeyActions): Column<Key>[] {
  const { t, i18n } = useTranslation(["keys", "common"])
  const { sign } = useLedger()
  const now = useNow()
  const stateOf = (item: Key) => {
    const state = keyState(item, now)
    return (
      <State tone={TONES[state]}>
        {t(`states.${state}`, { at: item.expires_at ? shortDate(item.expires_at, now, i18n.language) : "" })}
      </State>
    )
  }
  return [
    {
      id: "key",
      head: t("key"),
      bone: 104,
      cell: (item) => (
        <>
          <span className="name">{item.name}</span>
          <span className="sub mono">{item.prefix}…</span>
          {item.is_orphaned && (
            <span className="sub">
              <Tag tone="warn">{t("orphaned", { email: item.user_email })}</Tag>
            </span>
          )}
          {item.previous_secret_until && Date.parse(item.previous_secret_until) > now && (
            <span className="sub">
              {t("rotate.oldUntil", { at: dayAndTime(item.previous_secret_until, i18n.language) })}
            </span>
          )}
          <span className="sub md:hidden">{keyState(item, now) !== "active" && stateOf(item)}</span>
        </>
      ),
    },
    {
      id: "spent",
      head: t("spentOf"),
      unit: sign,
      className: "spend",
      bone: 200,
      cell: (item) => <Spent item={item} state={keyState(item, now)} />,
    },
    {
      id: "models",
      head: t("models"),
      className: "soft max-lg:hidden",
      cell: (item) =>
        !item.models?.length ? (
          t("allModels")
        ) : item.models.length === 1 ? (
          <span className="mono">{item.models[0]}</span>
        ) : (
          <span title={item.models.join(", ")}>{t("nModels", { count: item.models.length })}</span>
        ),
    },
    {
      id: "used",
      head: t("lastUsed"),
      className: "soft max-md:hidden",
      cell: (item) => (item.last_used_at ? <When at={item.last_used_at} /> : t("never")),
    },
    { id: "state", head: t("state"), className: "max-md:hidden", cell: stateOf },
    {
      id: "act",
      head: t("common:actions"),
      kind: "act",
      cell: (item) => <Actions item={item} {...actions} />,
    },
  ]
}

export function KeyTable({
  rows,
  error,
  onRetry,
  empty,
  newest,
  ...actions
}: {
  rows: Key[] | undefined
  error: unknown
  onRetry: () => void
  empty: React.ReactNode
  newest: string | null
} & KeyActions) {
  const { t } = useTranslation("keys")
  return (
    <LedgerTable
      label={t("table")}
      className="keys"
      isTwoLine
      isSticky
      columns={useColumns(actions)}
      rows={rows}
      keyOf={(item) => item.id}
      isOn={(item) => item.id === newest}
      error={error}
      failedTitle={t("failed")}
      onRetry={onRetry}
      empty={empty}
    />
  )
}
