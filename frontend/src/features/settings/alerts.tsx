import { useQueryClient } from "@tanstack/react-query"
import { Ellipsis, KeyRound, Pencil, Plus, Power, Send, Trash2 } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { usePages } from "../../api/pages"
import type { Alert } from "../../api/types"
import { Amount } from "../../components/amount"
import { Button } from "../../components/button"
import { Confirm } from "../../components/confirm"
import { closed, type Open, opened } from "../../components/form-dialog"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Menu, MenuItem, MenuRule } from "../../components/menu"
import { More } from "../../components/more"
import { Section } from "../../components/page"
import { useProblemText } from "../../components/problem"
import { State, Tag } from "../../components/state"
import { say } from "../../components/toast"
import { When } from "../../components/when"
import { AlertDialog, SecretOnce } from "./alert-dialog"
import { Deliveries } from "./deliveries"
import { Zone } from "./time-zone"

function useAlertActs() {
  const { t } = useTranslation("alerts")
  const queries = useQueryClient()
  const textOf = useProblemText()
  const refresh = () => queries.invalidateQueries({ queryKey: ["alerts"] })
  const failed = (error: unknown) => say({ tone: "bad", title: t("failedAct"), text: textOf(error) })
  const at = (alert: Alert) => ({ params: { path: { alert_id: alert.id } } })
  return {
    refresh,
    toggle: async (alert: Alert) => {
      try {
        await body(
          api().PATCH("/api/v1/alerts/{alert_id}", { ...at(alert), body: { is_enabled: !alert.is_enabled } }),
        )
        await refresh()
      } catch (error) {
        failed(error)
      }
    },
    test: async (alert: Alert) => {
      try {
        await body(api().POST("/api/v1/alerts/{alert_id}/test", at(alert)))
        say({ tone: "good", title: t("tested"), text: t("testedText") })
        await refresh()
      } catch (error) {
        failed(error)
      }
    },
    rotate: async (alert: Alert): Promise<string | null> => {
      try {
        return (await body(api().POST("/api/v1/alerts/{alert_id}/rotate-secret", at(alert)))).secret
      } catch (error) {
        failed(error)
        return null
      }
    },
    remove: async (alert: Alert) => {
      await body(api().DELETE("/api/v1/alerts/{alert_id}", at(alert)))
      await refresh()
      say({ tone: "good", title: t("deleted") })
    },
  }
}

function What({ alert }: { alert: Alert }) {
  const { t } = useTranslation("alerts")
  if (alert.kind !== "low_balance") return <>{t(`when.${alert.kind}`, { percent: alert.threshold })}</>
  return (
    <>
      {t("when.low_balance")} <Amount quota={alert.threshold} as="balance" withSign />
    </>
  )
}

function AlertState({ alert }: { alert: Alert }) {
  const { t } = useTranslation("alerts")
  if (!alert.is_enabled) return <State tone="off">{t("state.off")}</State>
  if (alert.fired_at === null) return <State tone="good">{t("state.armed")}</State>
  return (
    <State tone="warn">
      {t("state.fired")} <When at={alert.fired_at} />
    </State>
  )
}

function Alerts() {
  const { t } = useTranslation(["alerts", "common"])
  const { refresh, toggle, test, rotate, remove } = useAlertActs()
  const [form, setForm] = useState<Open<Alert | null>>(null)
  const [doomed, setDoomed] = useState<Open<Alert>>(null)
  const [secret, setSecret] = useState<string | null>(null)
  const { rows, error, retry, more } = usePages<Alert>(["alerts"], (cursor, signal) =>
    body(
      api().GET("/api/v1/alerts", { params: { query: { limit: 50, ...(cursor && { cursor }) } }, signal }),
    ),
  )
  const columns: Column<Alert>[] = [
    {
      id: "what",
      head: t("what"),
      cell: (row) => (
        <>
          <span className="name">
            <What alert={row} />
          </span>
          <span className="sub md:hidden">
            <AlertState alert={row} />
          </span>
        </>
      ),
    },
    {
      id: "how",
      head: t("how"),
      className: "max-sm:hidden",
      cell: (row) => (
        <span className="flex flex-wrap items-center gap-2">
          {row.to_mail && <Tag>{t("mail")}</Tag>}
          {row.webhook_url && (
            <span className="mono min-w-0" title={row.webhook_url}>
              {new URL(row.webhook_url).host}
            </span>
          )}
        </span>
      ),
    },
    {
      id: "state",
      head: t("stateHead"),
      className: "max-md:hidden",
      cell: (row) => <AlertState alert={row} />,
    },
    {
      id: "act",
      head: t("common:actions"),
      kind: "act",
      cell: (row) => (
        <Menu
          trigger={
            <Button
              look="ghost"
              size="sm"
              isIcon
              aria-label={t("actionsFor", { kind: t(`kind.${row.kind}`) })}
            >
              <Ellipsis className="i" aria-hidden="true" />
            </Button>
          }
        >
          <MenuItem icon={<Pencil className="i" aria-hidden="true" />} onPress={() => setForm(opened(row))}>
            {t("edit")}
          </MenuItem>
          <MenuItem icon={<Send className="i" aria-hidden="true" />} onPress={() => void test(row)}>
            {t("test")}
          </MenuItem>
          <MenuItem icon={<Power className="i" aria-hidden="true" />} onPress={() => void toggle(row)}>
            {t(row.is_enabled ? "turnOff" : "turnOn")}
          </MenuItem>
          {row.webhook_url && (
            <MenuItem
              icon={<KeyRound className="i" aria-hidden="true" />}
              onPress={() => void rotate(row).then(setSecret)}
            >
              {t("rotate")}
            </MenuItem>
          )}
          <MenuRule />
          <MenuItem
            isBad
            icon={<Trash2 className="i" aria-hidden="true" />}
            onPress={() => setDoomed(opened(row))}
          >
            {t("delete")}
          </MenuItem>
        </Menu>
      ),
    },
  ]
  return (
    <Section
      title={t("title")}
      text={t("text")}
      actions={
        <Button look="primary" size="sm" onClick={() => setForm(opened(null))}>
          <Plus className="i" aria-hidden="true" />
          {t("new")}
        </Button>
      }
    >
      <LedgerTable
        label={t("title")}
        isTwoLine
        columns={columns}
        rows={rows}
        keyOf={(row) => row.id}
        error={error}
        onRetry={retry}
        empty={
          <>
            <b>{t("empty")}</b>
            <p>{t("emptyText")}</p>
          </>
        }
        bones={2}
      />
      <More more={more} />
      {form && (
        <AlertDialog
          key={form.thing?.id ?? "new"}
          isOpen={form.isOpen}
          edited={form.thing}
          onClose={() => setForm(closed)}
          onGone={() => setForm(null)}
          onDone={(made) => {
            setSecret(made.secret)
            void refresh()
          }}
        />
      )}
      {secret && <SecretOnce secret={secret} onDone={() => setSecret(null)} />}
      {doomed && (
        <Confirm
          isOpen={doomed.isOpen}
          onClose={() => setDoomed(closed)}
          title={t("deleteTitle")}
          text={t("deleteText")}
          action={t("delete")}
          onConfirm={() => remove(doomed.thing)}
        />
      )}
    </Section>
  )
}

/** What the account wants to be told about, how that went, and when its budgets begin anew. */
export default function AlertsSection() {
  return (
    <div className="[&>.sec:first-child]:mt-0">
      <Alerts />
      <Deliveries />
      <Zone />
    </div>
  )
}
