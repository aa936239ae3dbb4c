import { useMutation, useQueryClient } from "@tanstack/react-query"
import { ArrowRight } from "lucide-react"
import { type FormEvent, useEffect, useRef, useState } from "react"
import { Trans, useTranslation } from "react-i18next"
import { api, body, onceOnly } from "../../api/client"
import { asProblem } from "../../api/problem"
import { quotaMoved, walletQuery } from "../../api/queries"
import type { Wallet } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { Field } from "../../components/field"
import { Input } from "../../components/input"
import { Note } from "../../components/note"
import { Block } from "../../components/page"
import { useProblemText } from "../../components/problem"
import { balanceText, exactAmount } from "../../format/quota"
import { cleanCode } from "./code"

function useRedeemProblem(): (error: unknown) => string {
  const { t, i18n } = useTranslation("topup")
  const textOf = useProblemText()
  return (error) => {
    const { code, facts } = asProblem(error)
    if (code === "code_unknown" && facts.is_mistyped) return t("problem.code_mistyped")
    const key = `problem.${code}`
    return i18n.exists(key, { ns: "topup" }) ? t(key as "problem.code_unknown") : textOf(error)
  }
}

/** The second click of a double click, or the same code once more: nothing went wrong for whoever has it already. */
function isOwn(error: unknown): boolean {
  if (!error) return false
  const { code, facts } = asProblem(error)
  return code === "code_already_redeemed" && facts.by_you === true
}

type Redeemed = { amount: number; balance: number; ending: string }

function Credited({ amount, balance, ending }: Redeemed) {
  const { t } = useTranslation("topup")
  const { unit, sign } = useLedger()
  return (
    <Note tone="good">
      <Trans
        t={t}
        i18nKey="redeem.credited"
        values={{ amount: `${sign}${exactAmount(amount, unit)}`, ending }}
        components={{ 1: <b className="fig" />, 2: <span className="mono" /> }}
      />{" "}
      <span className="fig">
        {t("redeem.balance")} {balanceText(balance - amount, unit)}{" "}
        <ArrowRight className="i i-sm inline align-[-2px]" aria-label={t("redeem.arrow")} />{" "}
        <b>{balanceText(balance, unit)}</b>
      </span>
    </Note>
  )
}

/** Turns a code into quota: says what was credited, and lets every balance in sight count up to its new value. */
export function Redeem({ isOn, isMain }: { isOn: boolean; isMain: boolean }) {
  const { t } = useTranslation("topup")
  const queries = useQueryClient()
  const textOf = useRedeemProblem()
  const field = useRef<HTMLInputElement>(null)
  const [text, setText] = useState("")
  const [isMissing, setMissing] = useState(false)
  useEffect(() => {
    if (window.location.hash === "#redeem") field.current?.focus()
  }, [])
  const redeem = useMutation({
    mutationFn: async (code: string): Promise<Redeemed> => {
      const answer = await body(
        api().POST("/api/v1/redemptions", { body: { code }, headers: { "Idempotency-Key": onceOnly() } }),
      )
      return { amount: answer.amount, balance: answer.balance, ending: code.slice(-4) }
    },
    onSuccess: ({ balance, amount }) => {
      setText("")
      queries.setQueryData<Wallet>(
        walletQuery.queryKey,
        (old) => old && { ...old, balance, available: old.available + amount },
      )
      void quotaMoved(queries)
    },
  })
  const isHadBefore = isOwn(redeem.error)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (redeem.isPending) return
    const code = cleanCode(text)
    setMissing(code === "")
    if (code) redeem.mutate(code)
    else field.current?.focus()
  }
  return (
    <Block title={t("redeem.title")} id="redeem">
      {isOn ? (
        <form className="redeem" onSubmit={submit} noValidate>
          <Field
            label={t("redeem.label")}
            help={redeem.data ? undefined : t("redeem.help")}
            error={
              isMissing ? t("redeem.missing") : redeem.error && !isHadBefore ? textOf(redeem.error) : null
            }
          >
            {(ids) => (
              <Input
                {...ids}
                ref={field}
                isLarge
                className="mono"
                placeholder={t("redeem.placeholder")}
                autoComplete="off"
                autoCapitalize="characters"
                spellCheck={false}
                value={text}
                onChange={(event) => {
                  setText(event.target.value)
                  setMissing(false)
                  if (!redeem.isPending) redeem.reset()
                }}
              />
            )}
          </Field>
          <Button type="submit" look={isMain ? "primary" : "plain"} size="lg" isBusy={redeem.isPending}>
            {t("redeem.action")}
          </Button>
        </form>
      ) : (
        <Note>{t("redeem.off")}</Note>
      )}
      {redeem.data && <Credited {...redeem.data} />}
      {isHadBefore && <Note tone="good">{t("problem.code_already_redeemed_by_you")}</Note>}
    </Block>
  )
}
