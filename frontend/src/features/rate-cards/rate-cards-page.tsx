import { useQuery, useQueryClient } from "@tanstack/react-query"
import { Ellipsis, History, Pencil, Plus, Scale, Trash2 } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { modelsQuery } from "../../api/operator-queries"
import type { Model, ModelChanges } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { Switch } from "../../components/choice"
import { Confirm } from "../../components/confirm"
import { closed, type Open, opened } from "../../components/form-dialog"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Menu, MenuItem, MenuRule } from "../../components/menu"
import { PageHead } from "../../components/page"
import { useProblemText } from "../../components/problem"
import { State } from "../../components/state"
import { say } from "../../components/toast"
import { windowText } from "../../format/quota"
import { CardRate, HistoryDrawer, OtherRates, rateDecimals } from "./history"
import { ModelForm } from "./model-form"
import { PriceForm } from "./price-form"

type Actions = {
  onPrice: (model: Model) => void
  onEdit: (model: Model) => void
  onHistory: (model: Model) => void
  onDelete: (model: Model) => void
  onSwitch: (model: Model, enabled: boolean) => void
}

function RowMenu({ model, onPrice, onEdit, onHistory, onDelete }: { model: Model } & Actions) {
  const { t } = useTranslation("admin")
  return (
    <Menu
      trigger={
        <Button look="ghost" size="sm" isIcon aria-label={t("actionsFor", { name: model.model })}>
          <Ellipsis className="i" aria-hidden="true" />
        </Button>
      }
    >
      <MenuItem icon={<Scale className="i" aria-hidden="true" />} onPress={() => onPrice(model)}>
        {t("rates.setPrice")}
      </MenuItem>
      <MenuItem icon={<History className="i" aria-hidden="true" />} onPress={() => onHistory(model)}>
        {t("rates.history")}
      </MenuItem>
      <MenuItem icon={<Pencil className="i" aria-hidden="true" />} onPress={() => onEdit(model)}>
        {t("edit")}
      </MenuItem>
      {!model.rate_card && (
        <>
          <MenuRule />
          <MenuItem isBad icon={<Trash2 className="i" aria-hidden="true" />} onPress={() => onDelete(model)}>
            {t("delete")}
          </MenuItem>
        </>
      )}
    </Menu>
  )
}

function useColumns(models: Model[], actions: Actions): Column<Model>[] {
  const { t } = useTranslation(["admin", "common"])
  const { sign, unit } = useLedger()
  const cards = models.map((model) => model.rate_card)
  return [
    {
      id: "model",
      head: t("rates.model"),
      bone: 130,
      cell: (row) => (
        <>
          <span className="name mono">{row.model}</span>
          <span className="sub">
            {row.rate_card ? (
              <>
                {row.vendor ?? "–"}
                <OtherRates card={row.rate_card} />
              </>
            ) : (
              <State tone="warn">{t("rates.unpriced")}</State>
            )}
          </span>
          {row.rate_card && (
            <span className="sub md:hidden">
              {(["input", "output"] as const)
                .filter((meter) => row.rate_card?.rates[meter] !== undefined)
                .map((meter) => (
                  <span key={meter} className="mr-3 inline-block">
                    {t(`rates.${meter}`)} <CardRate card={row.rate_card} meter={meter} />
                  </span>
                ))}
            </span>
          )}
        </>
      ),
    },
    {
      id: "context",
      head: t("rates.context"),
      kind: "num",
      className: "max-lg:hidden quiet",
      cell: (row) => (row.context_window == null ? "–" : windowText(row.context_window)),
    },
    ...(["input", "cached_input", "output", "request"] as const).map(
      (meter): Column<Model> => ({
        id: meter,
        head: t(`rates.${meter}`),
        unit: meter === "request" ? sign : `${sign} / 1M`,
        kind: "num",
        className: meter === "cached_input" || meter === "request" ? "max-lg:hidden" : "max-md:hidden",
        cell: (row) => (
          <CardRate card={row.rate_card} meter={meter} decimals={rateDecimals(cards, meter, unit)} />
        ),
      }),
    ),
    {
      id: "on",
      head: t("on"),
      cell: (row) => (
        <Switch label={row.model} isOn={row.enabled} onChange={(enabled) => actions.onSwitch(row, enabled)} />
      ),
    },
    {
      id: "act",
      head: t("common:actions"),
      kind: "act",
      cell: (row) => <RowMenu model={row} {...actions} />,
    },
  ]
}

function useModelActs() {
  const { t } = useTranslation("admin")
  const queries = useQueryClient()
  const textOf = useProblemText()
  const refresh = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: ["admin", "models"] }),
      queries.invalidateQueries({ queryKey: ["admin", "rate-cards"] }),
      queries.invalidateQueries({ queryKey: ["pricing"] }),
    ])
  const change = (model: string, changes: ModelChanges) =>
    body(api().PATCH("/api/v1/admin/models/{model}", { params: { path: { model } }, body: changes }))
  const save = async (edited: Model | null, model: string, changes: ModelChanges) => {
    if (edited) await change(model, changes)
    else
      await body(
        api().POST("/api/v1/admin/models", {
          params: { query: { create: "only" } },
          body: { model, ...changes },
        }),
      )
    await refresh()
    say({ tone: "good", title: t("saved", { name: model }), text: edited ? undefined : t("rates.nowPrice") })
  }
  const priced = async (model: Model) => {
    await refresh()
    say({ tone: "good", title: t("rates.priced", { name: model.model }) })
  }
  const turn = async ({ model }: Model, enabled: boolean) => {
    try {
      await change(model, { enabled })
      await refresh()
      say({ tone: "good", title: t(enabled ? "rates.isOn" : "rates.isOff", { name: model }) })
    } catch (error) {
      say({ tone: "bad", title: t("notChanged", { name: model }), text: textOf(error) })
    }
  }
  const remove = async ({ model }: Model) => {
    await body(api().DELETE("/api/v1/admin/models/{model}", { params: { path: { model } } }))
    await refresh()
    say({ tone: "good", title: t("deleted", { name: model }) })
  }
  return { save, priced, turn, remove }
}

export default function RateCardsPage() {
  const { t } = useTranslation("admin")
  const [form, setForm] = useState<Open<Model | null>>(null)
  const [priced, setPriced] = useState<Open<Model>>(null)
  const [doomed, setDoomed] = useState<Open<Model>>(null)
  const [past, setPast] = useState<Open<Model>>(null)
  const acts = useModelActs()
  const { data, error, refetch } = useQuery(modelsQuery)
  const columns = useColumns(data ?? [], {
    onPrice: (model) => setPriced(opened(model)),
    onEdit: (model) => setForm(opened(model)),
    onHistory: (model) => setPast(opened(model)),
    onDelete: (model) => setDoomed(opened(model)),
    onSwitch: (model, enabled) => void acts.turn(model, enabled),
  })
  return (
    <>
      <PageHead title={t("rates.title")} text={t("rates.text")}>
        <Button look="primary" onClick={() => setForm(opened(null))}>
          <Plus className="i" aria-hidden="true" />
          {t("rates.new")}
        </Button>
      </PageHead>
      <LedgerTable
        label={t("rates.title")}
        isTwoLine
        isSticky
        columns={columns}
        rows={data}
        keyOf={(row) => row.model}
        error={error}
        onRetry={() => void refetch()}
        empty={
          <>
            <b>{t("rates.empty")}</b>
            <p>{t("rates.emptyText")}</p>
          </>
        }
      />
      {form && (
        <ModelForm
          isOpen={form.isOpen}
          edited={form.thing}
          onClose={() => setForm(closed)}
          onGone={() => setForm(null)}
          onSubmit={(name, changes) => acts.save(form.thing, name, changes)}
        />
      )}
      {priced && (
        <PriceForm
          model={priced.thing}
          isOpen={priced.isOpen}
          onClose={() => setPriced(closed)}
          onGone={() => setPriced(null)}
          onSaved={() => acts.priced(priced.thing)}
        />
      )}
      {past && (
        <HistoryDrawer model={past.thing.model} isOpen={past.isOpen} onClose={() => setPast(closed)} />
      )}
      {doomed && (
        <Confirm
          isOpen={doomed.isOpen}
          onClose={() => setDoomed(closed)}
          title={t("deleteTitle", { name: doomed.thing.model })}
          text={t("rates.deleteText")}
          action={t("deleteAction", { name: doomed.thing.model })}
          onConfirm={() => acts.remove(doomed.thing)}
        />
      )}
    </>
  )
}
