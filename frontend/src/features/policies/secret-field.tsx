import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { meQuery } from "../../api/queries"
import { Button } from "../../components/button"
import { Field } from "../../components/field"
import { Input } from "../../components/input"
import { useProblemText } from "../../components/problem"
import { say } from "../../components/toast"
import { When } from "../../components/when"

/** A secret beside a policy: an owner sets it, nobody reads it back. It is saved by itself, not with the form around it. */
export function SecretField({ name }: { name: string }) {
  const { t } = useTranslation("policies")
  const textOf = useProblemText()
  const queries = useQueryClient()
  const me = useQuery(meQuery)
  const [secret, setSecret] = useState("")
  const secrets = useQuery({
    queryKey: ["admin", "secrets"],
    queryFn: ({ signal }) => body(api().GET("/api/v1/admin/secrets", { signal })),
  })
  const state = secrets.data?.items.find((one) => one.name === name)
  const save = useMutation({
    mutationFn: () =>
      body(api().PUT("/api/v1/admin/secrets/{name}", { params: { path: { name } }, body: { secret } })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["admin", "secrets"] })
      setSecret("")
      say({ tone: "good", title: t("secret.saved") })
    },
  })
  const isOwner = me.data?.user.role === "owner"
  return (
    <Field
      label={t("secret.label")}
      error={save.error ? textOf(save.error) : null}
      help={
        <>
          {state?.is_set && state.updated_at ? (
            <>
              {t("secret.set")} <When at={state.updated_at} />.{" "}
            </>
          ) : (
            t("secret.missing")
          )}{" "}
          {t(isOwner ? "secret.help" : "secret.ownerOnly")}
        </>
      }
    >
      {(ids) => (
        <div className="flex gap-2">
          <Input
            {...ids}
            boxClass="grow"
            type="password"
            autoComplete="off"
            maxLength={4096}
            disabled={!isOwner}
            value={secret}
            onChange={(event) => {
              if (save.error) save.reset()
              setSecret(event.target.value)
            }}
          />
          <Button disabled={!isOwner || !secret.trim()} isBusy={save.isPending} onClick={() => save.mutate()}>
            {t(state?.is_set ? "secret.replace" : "secret.save")}
          </Button>
        </div>
      )}
    </Field>
  )
}
