import { useMutation, useQuery } from "@tanstack/react-query"
import { Fingerprint } from "lucide-react"
import { type FormEvent, useEffect, useId, useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../api/client"
import { askPasskey, canUsePasskeys } from "../api/passkey"
import type { Problem } from "../api/problem"
import { proveElsewhere } from "../api/proof-elsewhere"
import { Button } from "../components/button"
import { Dialog } from "../components/dialog"
import { Field } from "../components/field"
import { Input } from "../components/input"
import { Note } from "../components/note"
import { useProblemText } from "../components/problem"

const METHODS = ["passkey", "totp", "password", "identity", "recovery_code"] as const
type Method = (typeof METHODS)[number]

function methodsIn({ facts }: Problem): Method[] {
  const named = Array.isArray(facts.methods) ? facts.methods : []
  return METHODS.filter((method) => named.includes(method) && (method !== "passkey" || canUsePasskeys()))
}

/** A button for each linked identity; its provider asks in a window of its own, so that nothing here is lost. */
function ProveByIdentity({ onProved }: { onProved: () => void }) {
  const { t } = useTranslation()
  const textOf = useProblemText()
  const security = useQuery({
    queryKey: ["me", "security"],
    queryFn: ({ signal }) => body(api().GET("/api/v1/me/security", { signal })),
  })
  const prove = useMutation({ mutationFn: proveElsewhere, onSuccess: onProved })
  return (
    <div className="grid gap-2">
      {security.data?.identities.map(({ id, provider, label }) => (
        <Button
          key={id}
          look="primary"
          isWide
          isBusy={prove.isPending && prove.variables === provider}
          disabled={prove.isPending}
          onClick={() => prove.mutate(provider)}
        >
          {t("prove.withIdentity", { provider: label })}
        </Button>
      ))}
      {(prove.error ?? security.error) && <Note tone="bad">{textOf(prove.error ?? security.error)}</Note>}
    </div>
  )
}

function ProveForm({ methods, onProved }: { methods: Method[]; onProved: () => void }) {
  const { t } = useTranslation()
  const textOf = useProblemText()
  const id = useId()
  const [method, setMethod] = useState<Method>(methods[0] ?? "password")
  const [value, setValue] = useState("")
  const prove = useMutation({
    mutationFn: async () => {
      if (method === "identity") return null
      if (method !== "passkey")
        return body(api().POST("/api/v1/auth/reauthenticate", { body: { method, value } }))
      const { public_key } = await body(api().POST("/api/v1/auth/reauthenticate/options"))
      const credential = await askPasskey(public_key)
      return body(api().POST("/api/v1/auth/reauthenticate", { body: { method, credential } }))
    },
    onSuccess: onProved,
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (method !== "identity" && (method === "passkey" || value) && !prove.isPending) prove.mutate()
  }
  return (
    <form id={id} className="grid gap-4" onSubmit={submit} noValidate>
      {method === "identity" && <ProveByIdentity onProved={onProved} />}
      {method !== "passkey" && method !== "identity" && (
        <Field key={method} label={t(`prove.${method}`)}>
          {(ids) => (
            <Input
              {...ids}
              type={method === "password" ? "password" : "text"}
              inputMode={method === "totp" ? "numeric" : "text"}
              autoComplete={method === "password" ? "current-password" : "one-time-code"}
              autoFocus
              value={value}
              onChange={(event) => setValue(event.target.value)}
            />
          )}
        </Field>
      )}
      {prove.error && <Note tone="bad">{textOf(prove.error)}</Note>}
      {method !== "identity" && (
        <Button type="submit" look="primary" isWide isBusy={prove.isPending}>
          {method === "passkey" && <Fingerprint className="i" aria-hidden="true" />}
          {t(method === "passkey" ? "prove.withPasskey" : "prove.act")}
        </Button>
      )}
      <div className="flex flex-wrap gap-2">
        {methods
          .filter((other) => other !== method)
          .map((other) => (
            <Button
              key={other}
              size="sm"
              look="ghost"
              onClick={() => {
                prove.reset()
                setValue("")
                setMethod(other)
              }}
            >
              {t(`prove.other.${other}`)}
            </Button>
          ))}
      </div>
    </form>
  )
}

/** Asks for a fresh proof of who one is, in one of the ways that the refusal names. */
export default function ProveIt({
  problem,
  onAnswer,
  onGone,
}: {
  problem: Problem
  onAnswer: (isProved: boolean) => void
  onGone: () => void
}) {
  const { t } = useTranslation()
  const methods = methodsIn(problem)
  const [isOpen, setOpen] = useState(methods.length > 0)
  useEffect(() => {
    if (methods.length > 0) return
    onAnswer(false)
    onGone()
  })
  const close = (isProved: boolean) => {
    onAnswer(isProved)
    setOpen(false)
  }
  return (
    <Dialog
      isOpen={isOpen}
      onClose={() => close(false)}
      onGone={onGone}
      title={t("prove.title")}
      text={t("prove.text")}
    >
      <ProveForm methods={methods} onProved={() => close(true)} />
    </Dialog>
  )
}
