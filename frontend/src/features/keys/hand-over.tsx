import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import type { Key } from "../../api/types"
import { Field } from "../../components/field"
import { FormDialog, type Open } from "../../components/form-dialog"
import { Select } from "../../components/input"
import { Note } from "../../components/note"
import { say } from "../../components/toast"
import { useKeyActs } from "./key-acts"

/** Another member becomes responsible for a key, and their budgets count it. The one before knows its secret still. */
export function HandOverDialog({
  open,
  accountId,
  onClose,
  onRotate,
}: {
  open: Open<Key>
  accountId: string
  onClose: () => void
  onRotate: (key: Key) => void
}) {
  const { t } = useTranslation("keys")
  const { refresh } = useKeyActs()
  const [chosen, setChosen] = useState("")
  const members = useQuery({
    queryKey: ["members", accountId, "choices"],
    queryFn: ({ signal }) =>
      body(
        api().GET("/api/v1/accounts/{account_id}/members", {
          params: { path: { account_id: accountId }, query: { limit: 200 } },
          signal,
        }),
      ),
    enabled: open?.isOpen === true,
  })
  if (!open) return null
  const key = open.thing
  const others = members.data?.items.filter((member) => member.user_id !== key.user_id || key.is_orphaned)
  const userId = chosen || others?.[0]?.user_id
  const send = async (to: string) => {
    await body(
      api().POST("/api/v1/keys/{key_id}/hand-over", {
        params: { path: { key_id: key.id } },
        body: { user_id: to },
      }),
    )
    await refresh()
    say({
      tone: "good",
      title: t("handOver.done", { name: key.name }),
      text: t("handOver.doneText"),
      action: { label: t("rotate.act"), onPress: () => onRotate(key) },
    })
  }
  return (
    <FormDialog
      isOpen={open.isOpen}
      onClose={onClose}
      onGone={() => setChosen("")}
      title={t("handOver.title", { name: key.name })}
      text={t("handOver.text")}
      action={t("handOver.submit")}
      onSubmit={() => (userId ? send(userId) : null)}
    >
      <Field label={t("handOver.to")} error={others?.length === 0 ? t("handOver.nobody") : null}>
        {(ids) => (
          <Select {...ids} value={userId ?? ""} onChange={(event) => setChosen(event.target.value)}>
            {others?.map((member) => (
              <option key={member.user_id} value={member.user_id}>
                {member.email}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {key.is_orphaned && <Note tone="warn">{t("handOver.known")}</Note>}
    </FormDialog>
  )
}
