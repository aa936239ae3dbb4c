import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { timeZoneQuery } from "../../api/queries"
import type { Budget, Member } from "../../api/types"
import { Amount, useLedger } from "../../components/amount"
import { Field } from "../../components/field"
import { FormDialog, type Open } from "../../components/form-dialog"
import { Input } from "../../components/input"
import { say } from "../../components/toast"
import { amountInput, parseAmount } from "../../format/quota"

const PERIODS = ["total", "day", "week", "month"] as const
type Period = (typeof PERIODS)[number]

/** What all keys of a member may spend together. */
export function MemberBudgetsDialog({
  accountId,
  open,
  onClose,
  onGone,
}: {
  accountId: string
  open: NonNullable<Open<Member>>
  onClose: () => void
  onGone: () => void
}) {
  const { t } = useTranslation(["team", "common"])
  const { unit, sign } = useLedger()
  const queries = useQueryClient()
  const member = open.thing
  const at = { params: { path: { account_id: accountId, user_id: member.user_id } } }
  const queryKey = ["member-budgets", accountId, member.user_id]
  const zone = useQuery(timeZoneQuery(accountId))
  const { data } = useQuery({
    queryKey,
    queryFn: ({ signal }) =>
      body(api().GET("/api/v1/accounts/{account_id}/members/{user_id}/budgets", { ...at, signal })),
  })
  const [typed, setTyped] = useState<Partial<Record<Period, string>>>({})
  const [wrong, setWrong] = useState<Period[]>([])
  const budgetOf = (period: Period): Budget | undefined => data?.items.find((one) => one.period === period)
  const textOf = (period: Period) => {
    const budget = budgetOf(period)
    return typed[period] ?? (budget ? amountInput(budget.limit, unit) : "")
  }
  const save = (): Promise<unknown> | null => {
    if (!data) return null
    const wanted = PERIODS.filter((period) => textOf(period).trim() !== "").map((period) => ({
      period,
      limit: parseAmount(textOf(period), unit),
    }))
    const bad = wanted.filter(({ limit }) => limit === null || limit < 0).map(({ period }) => period)
    setWrong(bad)
    if (bad.length > 0) return null
    const budgets = wanted.map(({ period, limit }) => ({ period, limit: limit ?? 0 }))
    return body(
      api().PUT("/api/v1/accounts/{account_id}/members/{user_id}/budgets", { ...at, body: { budgets } }),
    ).then(async () => {
      await queries.invalidateQueries({ queryKey })
      say({ tone: "good", title: t("budgets.saved", { email: member.email }) })
    })
  }
  return (
    <FormDialog
      isOpen={open.isOpen}
      onClose={onClose}
      onGone={onGone}
      title={t("budgets.title", { email: member.email })}
      text={t("budgets.text", { zone: zone.data ?? "UTC" })}
      action={t("common:save")}
      onSubmit={save}
    >
      <div className="grid gap-4 sm:grid-cols-2" aria-busy={data === undefined || undefined}>
        {PERIODS.map((period) => {
          const budget = budgetOf(period)
          return (
            <Field
              key={period}
              label={t(`budgets.per.${period}`)}
              error={wrong.includes(period) ? t("budgets.bad") : null}
              help={
                budget && (
                  <>
                    {t("budgets.spent")} <Amount quota={budget.spent} as="balance" withSign />
                  </>
                )
              }
            >
              {(ids) => (
                <Input
                  {...ids}
                  className="num"
                  inputMode="decimal"
                  placeholder={t("budgets.none")}
                  before={<span className="affix">{sign}</span>}
                  disabled={data === undefined}
                  value={textOf(period)}
                  onChange={(event) => {
                    setTyped((old) => ({ ...old, [period]: event.target.value }))
                    setWrong((old) => old.filter((one) => one !== period))
                  }}
                />
              )}
            </Field>
          )
        })}
      </div>
    </FormDialog>
  )
}
