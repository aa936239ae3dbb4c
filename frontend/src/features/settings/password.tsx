import { useMutation, useQueryClient } from "@tanstack/react-query"
import { type FormEvent, useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { asProblem } from "../../api/problem"
import { Button } from "../../components/button"
import { Field } from "../../components/field"
import { Input } from "../../components/input"
import { Note } from "../../components/note"
import { Block } from "../../components/page"
import { useProblemText } from "../../components/problem"
import { say } from "../../components/toast"

const PASSWORD_LEAST = 10

/** Without one yet, a proof of who one is takes the place of the old password. */
export function Password({ hasOne }: { hasOne: boolean }) {
  const { t } = useTranslation("settings")
  const textOf = useProblemText()
  const queries = useQueryClient()
  const [current, setCurrent] = useState("")
  const [next, setNext] = useState("")
  const [wasSent, setSent] = useState(false)
  const change = useMutation({
    mutationFn: () =>
      body(api().POST("/api/v1/me/password", { body: { current_password: current, new_password: next } })),
    onSuccess: () => {
      setCurrent("")
      setNext("")
      setSent(false)
      say({ tone: "good", title: t("changed"), text: t("changedText") })
      void queries.invalidateQueries({ queryKey: ["sessions"] })
      void queries.invalidateQueries({ queryKey: ["security"] })
    },
  })
  const isWrong = change.error !== null && asProblem(change.error).facts.field === "current_password"
  const nextError =
    next.length < PASSWORD_LEAST ? t("short", { count: next.length }) : next === current ? t("same") : null
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if ((current || !hasOne) && !nextError && !change.isPending) change.mutate()
  }
  const currentError = wasSent && hasOne && !current ? t("currentMissing") : isWrong ? t("wrong") : null
  return (
    <Block title={t("password")}>
      <form className="grid max-w-[25rem] gap-4" onSubmit={submit} noValidate>
        {hasOne && (
          <Field label={t("current")} error={currentError}>
            {(ids) => (
              <Input
                {...ids}
                type="password"
                autoComplete="current-password"
                value={current}
                onChange={(event) => {
                  setCurrent(event.target.value)
                  if (!change.isPending) change.reset()
                }}
              />
            )}
          </Field>
        )}
        <Field label={t("next")} help={t("nextHelp")} error={wasSent ? nextError : null}>
          {(ids) => (
            <Input
              {...ids}
              type="password"
              autoComplete="new-password"
              value={next}
              onChange={(event) => setNext(event.target.value)}
            />
          )}
        </Field>
        {change.error && !isWrong && <Note tone="bad">{textOf(change.error)}</Note>}
        <div>
          <Button type="submit" isBusy={change.isPending}>
            {t(hasOne ? "change" : "choose")}
          </Button>
        </div>
      </form>
    </Block>
  )
}
