import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { walletQuery } from "../../api/queries"
import { chooseAccount } from "../../api/session"
import type { Me } from "../../api/types"
import { Button } from "../../components/button"
import { Confirm } from "../../components/confirm"
import { DeletionDialog } from "../../components/deletion-dialog"
import { Note } from "../../components/note"
import { useProblemText } from "../../components/problem"
import { say } from "../../components/toast"
import { When } from "../../components/when"
import { dayAndTime } from "../../format/time"
import { deletionQuery } from "./queries"

type Account = Me["account"]

/** To every member: on which day the team goes. Its owners can keep it. */
export function DeletionBanner({ account }: { account: Account }) {
  const { t } = useTranslation("team")
  const queries = useQueryClient()
  const textOf = useProblemText()
  const { data: deletion } = useQuery(deletionQuery(account.id))
  const keep = useMutation({
    mutationFn: () =>
      body(
        api().DELETE("/api/v1/accounts/{account_id}/deletion", {
          params: { path: { account_id: account.id } },
        }),
      ),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: deletionQuery(account.id).queryKey })
      say({ tone: "good", title: t("deletion.kept", { name: account.name }) })
    },
    onError: (error) => say({ tone: "bad", title: t("deletion.notKept"), text: textOf(error) }),
  })
  if (!deletion) return null
  return (
    <div className="mb-6 grid justify-items-start gap-3">
      <Note tone="warn">
        {t(deletion.is_by_operator ? "deletion.dueByOperator" : "deletion.due")}{" "}
        <When at={deletion.due_at} as="time" />
      </Note>
      {account.permissions.includes("account.write") && (
        <Button look="primary" isBusy={keep.isPending} onClick={() => keep.mutate()}>
          {t("deletion.keep")}
        </Button>
      )}
    </div>
  )
}

/** An empty team goes at once; one with something in it when its day comes. */
export function DeleteTeam({
  account,
  isOpen,
  onClose,
}: {
  account: Account
  isOpen: boolean
  onClose: () => void
}) {
  const { t, i18n } = useTranslation("team")
  const queries = useQueryClient()
  const { data: wallet } = useQuery(walletQuery)
  const params = { path: { account_id: account.id } }
  const isEmpty = wallet && ![wallet.balance, wallet.reward_balance, wallet.debt].some((left) => left !== 0)
  const removeNow = async () => {
    await body(api().DELETE("/api/v1/accounts/{account_id}", { params }))
    chooseAccount(null)
    say({ tone: "good", title: t("deleted", { name: account.name }) })
  }
  const remove = async (endKeysNow: boolean) => {
    const { due_at } = await body(
      api().POST("/api/v1/accounts/{account_id}/deletion", { params, body: { end_keys_now: endKeysNow } }),
    )
    await queries.invalidateQueries({ queryKey: deletionQuery(account.id).queryKey })
    await queries.invalidateQueries({ queryKey: ["keys"] })
    const day = dayAndTime(due_at, i18n.language)
    say({ tone: "good", title: t("deletion.asked", { name: account.name, day }) })
  }
  if (isEmpty) {
    return (
      <Confirm
        isOpen={isOpen}
        onClose={onClose}
        title={t("deleteTitle", { name: account.name })}
        text={t("deleteText")}
        action={t("deleteAction")}
        onConfirm={removeNow}
      />
    )
  }
  return (
    <DeletionDialog
      isOpen={isOpen}
      onClose={onClose}
      title={t("deleteTitle", { name: account.name })}
      text={t("deletion.text")}
      lines={[t("deletion.members"), t("deletion.balance"), t("deletion.orders"), t("deletion.stays")]}
      endKeys={t("deletion.endKeys")}
      action={t("deleteAction")}
      onDelete={remove}
    />
  )
}
