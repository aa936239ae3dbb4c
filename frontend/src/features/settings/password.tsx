import { useMutation, useQueryClient } from "@tanstack/react-query"
import { type FormEvent, useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { asProblem } from "../../api/problem"
import { Button } from "../../components/button"
import { Field } from "../../components/field"
import { Input } from "../../components/input"
import { NewPassword } from "../../components/new-password"
import { Note } from "../../components/note"
import { Block } from "../../components/page"
import { PASSWORD_LEAST } from "../../components/password-hint"
import { useProblemText } from "../../components/problem"
import { say } from "../../components/toast"

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
  const isSame = next === current
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if ((current || !hasOne) && next.length >= PASSWORD_LEAST && !isSame && !change.isPending) change.mutate()
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
        <NewPassword
          label={t("next")}
          value={next}
          onValue={setNext}
          wasSent={wasSent}
          error={isSame ? t("same") : null}
        />
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
