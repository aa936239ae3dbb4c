import { useMutation, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body, onceOnly } from "../../api/client"
import { keysQuery } from "../../api/queries"
import type { Key, KeyChange, KeyInput } from "../../api/types"
import { useProblemText } from "../../components/problem"
import { say } from "../../components/toast"
import { KeyDialog } from "./key-form"
import { type NewKey, SecretDialog } from "./secret-dialog"

/** Changing and deleting keys, each said when done. */
export function useKeyActs() {
  const { t } = useTranslation("keys")
  const queries = useQueryClient()
  const textOf = useProblemText()
  const refresh = () => queries.invalidateQueries({ queryKey: keysQuery.queryKey })
  const change = async (key: Key, wanted: KeyChange) => {
    await body(api().PATCH("/api/v1/keys/{key_id}", { params: { path: { key_id: key.id } }, body: wanted }))
    await refresh()
  }
  const toggle = async (key: Key) => {
    const isOff = key.status === "disabled"
    try {
      await change(key, { status: isOff ? "active" : "disabled" })
    } catch (error) {
      return say({ tone: "bad", title: t("failedAct", { name: key.name }), text: textOf(error) })
    }
    if (isOff) return say({ tone: "good", title: t("enabled", { name: key.name }) })
    say({
      tone: "good",
      title: t("disabled", { name: key.name }),
      text: t("disabledText"),
      action: { label: t("undo"), onPress: () => void toggle({ ...key, status: "disabled" }) },
    })
  }
  const remove = async (key: Key) => {
    await body(api().DELETE("/api/v1/keys/{key_id}", { params: { path: { key_id: key.id } } }))
    await refresh()
    say({ tone: "good", title: t("deleted", { name: key.name }), text: t("deletedText") })
  }
  const endGrace = async (key: Key) => {
    try {
      await body(
        api().DELETE("/api/v1/keys/{key_id}/previous-secret", { params: { path: { key_id: key.id } } }),
      )
      await refresh()
      say({ tone: "good", title: t("rotate.ended", { name: key.name }) })
    } catch (error) {
      say({ tone: "bad", title: t("failedAct", { name: key.name }), text: textOf(error) })
    }
  }
  return { change, toggle, remove, endGrace, refresh }
}

/** The form for a new key, then its secret, once. */
export function CreateKey({
  isOpen,
  model,
  onClose,
  onMade,
}: {
  isOpen: boolean
  model: string
  onClose: () => void
  onMade: (id: string) => void
}) {
  const [made, setMade] = useState<NewKey | null>(null)
  const { refresh } = useKeyActs()
  // The secret is kept in this component only: gcTime 0 leaves none in the cache.
  const create = useMutation({
    gcTime: 0,
    mutationFn: (input: KeyInput) =>
      body(api().POST("/api/v1/keys", { body: input, headers: { "Idempotency-Key": onceOnly() } })),
    onSuccess: (key) => {
      onClose()
      setMade(key)
      onMade(key.id)
      void refresh()
    },
  })
  return (
    <>
      <KeyDialog
        isOpen={isOpen}
        edited={null}
        isBusy={create.isPending}
        error={create.error}
        onSubmit={(input) => create.mutate(input)}
        onClose={onClose}
        onGone={create.reset}
      />
      {made && <SecretDialog made={made} model={made.models?.[0] ?? model} onDone={() => setMade(null)} />}
    </>
  )
}

/** The form over a key there is. */
export function EditKey({ edited, onClose }: { edited: Key | null; onClose: () => void }) {
  const { t } = useTranslation("keys")
  const [shown, setShown] = useState<Key | null>(null)
  const { change } = useKeyActs()
  if (edited && edited !== shown) setShown(edited)
  const save = useMutation({
    mutationFn: (input: KeyInput) => (edited ? change(edited, input) : Promise.resolve()),
    onSuccess: (_, input) => {
      say({ tone: "good", title: t("saved", { name: input.name }) })
      onClose()
    },
  })
  if (!shown) return null
  return (
    <KeyDialog
      isOpen={edited !== null}
      edited={shown}
      isBusy={save.isPending}
      error={save.error}
      onSubmit={(input) => save.mutate(input)}
      onClose={onClose}
      onGone={() => {
        save.reset()
        setShown(null)
      }}
    />
  )
}
