import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query"
import { ArrowDown, ArrowUp, Calculator, Ellipsis, Pencil, Plus, Trash2 } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body, onceOnly } from "../../api/client"
import { methodsQuery, processorsQuery } from "../../api/operator-queries"
import { meQuery } from "../../api/queries"
import type { MethodDraft, PaymentMethod } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { Switch } from "../../components/choice"
import { Confirm } from "../../components/confirm"
import { CopyButton } from "../../components/copy"
import { closed, type Open, opened } from "../../components/form-dialog"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Menu, MenuItem, MenuRule } from "../../components/menu"
import { Note } from "../../components/note"
import { PageHead } from "../../components/page"
import { useProblemText } from "../../components/problem"
import { State } from "../../components/state"
import { say } from "../../components/toast"
import { moneyText } from "../../format/minor"
import { exactAmount } from "../../format/quota"
import { MethodForm } from "./method-form"
import { PreviewDialog } from "./preview-dialog"

type Actions = {
  onEdit: (method: PaymentMethod) => void
  onPreview: (method: PaymentMethod) => void
  onMove: (method: PaymentMethod, by: 1 | -1) => void
  onDelete: (method: PaymentMethod) => void
  onSwitch: (method: PaymentMethod, enabled: boolean) => void
  /** Not an owner: looks, and changes nothing. */
  isReadOnly: boolean
}

function RowMenu({ method, ...acts }: { method: PaymentMethod } & Actions) {
  const { t } = useTranslation("payment-methods")
  return (
    <Menu
      trigger={
        <Button look="ghost" size="sm" isIcon aria-label={t("actionsFor", { name: method.label })}>
          <Ellipsis className="i" aria-hidden="true" />
        </Button>
      }
    >
      <MenuItem icon={<Calculator className="i" aria-hidden="true" />} onPress={() => acts.onPreview(method)}>
        {t("preview")}
      </MenuItem>
      {!acts.isReadOnly && (
        <>
          <MenuItem icon={<Pencil className="i" aria-hidden="true" />} onPress={() => acts.onEdit(method)}>
            {t("edit")}
          </MenuItem>
          <MenuItem
            icon={<ArrowUp className="i" aria-hidden="true" />}
            onPress={() => acts.onMove(method, -1)}
          >
            {t("up")}
          </MenuItem>
          <MenuItem
            icon={<ArrowDown className="i" aria-hidden="true" />}
            onPress={() => acts.onMove(method, 1)}
          >
            {t("down")}
          </MenuItem>
          <MenuRule />
          <MenuItem
            isBad
            icon={<Trash2 className="i" aria-hidden="true" />}
            onPress={() => acts.onDelete(method)}
          >
            {t("delete")}
          </MenuItem>
        </>
      )}
    </Menu>
  )
}

function useColumns(actions: Actions): Column<PaymentMethod>[] {
  const { t } = useTranslation(["payment-methods", "common"])
  const { unit, sign } = useLedger()
  return [
    {
      id: "method",
      head: t("method"),
      bone: 140,
      cell: (row) => (
        <>
          <span className="name">{row.label}</span>
          <span className="sub">
            {row.processor} · <span className="mono">{row.id}</span>
          </span>
        </>
      ),
    },
    {
      id: "rate",
      head: t("rateShort"),
      kind: "num",
      className: "max-md:hidden",
      cell: (row) => (
        <span className="fig">
          {moneyText(10 ** row.exponent, row.currency, row.exponent)} → {sign}
          {exactAmount(BigInt(row.quota_per_minor_unit) * 10n ** BigInt(row.exponent), unit)}
        </span>
      ),
    },
    {
      id: "webhook",
      head: t("webhook"),
      className: "max-lg:hidden",
      cell: (row) =>
        row.webhook_url ? (
          <CopyButton look="ghost" text={row.webhook_url} label={t("copyWebhook")} title={row.webhook_url} />
        ) : (
          <span className="text-ink-3">{t("noWebhook")}</span>
        ),
    },
    {
      id: "state",
      head: t("state"),
      cell: (row) =>
        row.off_because === null ? (
          <State tone="good">{t("offered")}</State>
        ) : (
          <State tone={row.off_because === "disabled" ? "off" : "bad"}>{t(`off.${row.off_because}`)}</State>
        ),
    },
    {
      id: "on",
      head: t("on"),
      cell: (row) => (
        <Switch
          label={row.label}
          isOn={row.enabled}
          isDisabled={actions.isReadOnly}
          onChange={(enabled) => actions.onSwitch(row, enabled)}
        />
      ),
    },
    {
      id: "act",
      head: t("common:actions"),
      kind: "act",
      cell: (row) => <RowMenu method={row} {...actions} />,
    },
  ]
}

function useActs(methods: PaymentMethod[] | undefined) {
  const { t } = useTranslation("payment-methods")
  const queries = useQueryClient()
  const textOf = useProblemText()
  const refresh = () => queries.invalidateQueries({ queryKey: methodsQuery.queryKey })
  const change = (id: string, wanted: Record<string, unknown>) =>
    body(
      api().PATCH("/api/v1/admin/payment-methods/{method_id}", {
        params: { path: { method_id: id } },
        body: wanted,
      }),
    )
  const save = async (method: PaymentMethod | null, draft: MethodDraft, previousHours: number) => {
    if (method) {
      const { id: _id, processor: _processor, ...changes } = draft
      await change(method.id, { ...changes, previous_secret_hours: previousHours })
    } else
      await body(
        api().POST("/api/v1/admin/payment-methods", {
          body: { ...draft, position: methods?.length ?? 0 },
          headers: { "Idempotency-Key": onceOnly() },
        }),
      )
    await refresh()
    say({ tone: "good", title: t("saved", { name: draft.label }) })
  }
  const tried = async (name: string, act: () => Promise<unknown>) => {
    try {
      await act()
      await refresh()
    } catch (error) {
      say({ tone: "bad", title: t("notChanged", { name }), text: textOf(error) })
    }
  }
  const turn = (method: PaymentMethod, enabled: boolean) =>
    tried(method.label, () => change(method.id, { enabled }))
  /** Numbers the list anew, with this one a place further; only what changed is sent. */
  const move = (method: PaymentMethod, by: 1 | -1) =>
    tried(method.label, async () => {
      const order = [...(methods ?? [])]
      const from = order.indexOf(method)
      const to = from + by
      if (to < 0 || to >= order.length) return
      order.splice(to, 0, ...order.splice(from, 1))
      for (const [position, one] of order.entries())
        if (one.position !== position) await change(one.id, { position })
    })
  const remove = async (method: PaymentMethod) => {
    await body(
      api().DELETE("/api/v1/admin/payment-methods/{method_id}", {
        params: { path: { method_id: method.id } },
      }),
    )
    await refresh()
    say({ tone: "good", title: t("deleted", { name: method.label }) })
  }
  return { save, turn, move, remove }
}

export default function PaymentMethodsPage() {
  const { t } = useTranslation("payment-methods")
  const [form, setForm] = useState<Open<PaymentMethod | null>>(null)
  const [previewed, setPreviewed] = useState<Open<PaymentMethod>>(null)
  const [doomed, setDoomed] = useState<Open<PaymentMethod>>(null)
  const { data: methods, error, refetch } = useQuery(methodsQuery)
  const { data: processors } = useQuery(processorsQuery)
  const { data: me } = useSuspenseQuery(meQuery)
  const isReadOnly = me.user.role !== "owner"
  const { save, turn, move, remove } = useActs(methods)
  const columns = useColumns({
    onEdit: (method) => setForm(opened(method)),
    onPreview: (method) => setPreviewed(opened(method)),
    onMove: (method, by) => void move(method, by),
    onDelete: (method) => setDoomed(opened(method)),
    onSwitch: (method, enabled) => void turn(method, enabled),
    isReadOnly,
  })
  return (
    <>
      <PageHead title={t("title")} text={t("pageText")}>
        {!isReadOnly && (
          <Button look="primary" disabled={!processors} onClick={() => setForm(opened(null))}>
            <Plus className="i" aria-hidden="true" />
            {t("new")}
          </Button>
        )}
      </PageHead>
      {isReadOnly && (
        <div className="mb-4">
          <Note>{t("ownersOnly")}</Note>
        </div>
      )}
      <LedgerTable
        label={t("title")}
        isTwoLine
        isSticky
        columns={columns}
        rows={methods}
        keyOf={(row) => row.id}
        error={error}
        onRetry={() => void refetch()}
        empty={
          <>
            <b>{t("empty")}</b>
            <p>{t("emptyText")}</p>
          </>
        }
      />
      {form && processors && (
        <MethodForm
          isOpen={form.isOpen}
          edited={form.thing}
          processors={processors}
          onClose={() => setForm(closed)}
          onGone={() => setForm(null)}
          onSubmit={(draft, hours) => save(form.thing, draft, hours)}
        />
      )}
      {previewed && (
        <PreviewDialog
          method={previewed.thing}
          isOpen={previewed.isOpen}
          onClose={() => setPreviewed(closed)}
          onGone={() => setPreviewed(null)}
        />
      )}
      {doomed && (
        <Confirm
          isOpen={doomed.isOpen}
          onClose={() => setDoomed(closed)}
          title={t("deleteTitle", { name: doomed.thing.label })}
          text={t("deleteText")}
          action={t("deleteAction", { name: doomed.thing.label })}
          onConfirm={() => remove(doomed.thing)}
        />
      )}
    </>
  )
}
