import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { privacyQuery } from "../../api/operator-queries"
import type { Account } from "../../api/types"
import { Amount } from "../../components/amount"
import { DeletionDialog } from "../../components/deletion-dialog"
import type { Open } from "../../components/form-dialog"
import { useProblemText } from "../../components/problem"
import { say } from "../../components/toast"
import { dayAndTime } from "../../format/time"

/** A team is deleted when the grace period is over; until then its owners, or an operator, keep it. */
export function useTeamDeletion() {
  const { t, i18n } = useTranslation("admin")
  const queries = useQueryClient()
  const textOf = useProblemText()
  const params = (account: Account) => ({ path: { account_id: account.id } })
  const look = () => queries.invalidateQueries({ queryKey: ["admin", "accounts"] })
  const remove = async (account: Account, endKeysNow: boolean) => {
    const { due_at } = await body(
      api().POST("/api/v1/admin/accounts/{account_id}/deletion", {
        params: params(account),
        body: { end_keys_now: endKeysNow },
      }),
    )
    await look()
    const day = dayAndTime(due_at, i18n.language)
    say({ tone: "good", title: t("accounts.deletion.asked", { name: account.name, day }) })
  }
  const keep = async (account: Account) => {
    try {
      await body(api().DELETE("/api/v1/admin/accounts/{account_id}/deletion", { params: params(account) }))
    } catch (error) {
      return say({ tone: "bad", title: t("notChanged", { name: account.name }), text: textOf(error) })
    }
    await look()
    say({ tone: "good", title: t("accounts.deletion.kept", { name: account.name }) })
  }
  return { remove, keep }
}

/** Spells out what will happen to the team. */
export function DeleteTeam({
  doomed,
  onClose,
  onGone,
  onDelete,
}: {
  doomed: NonNullable<Open<Account>>
  onClose: () => void
  onGone: () => void
  onDelete: (account: Account, endKeysNow: boolean) => Promise<unknown>
}) {
  const { t } = useTranslation("admin")
  const { data: policy } = useQuery(privacyQuery)
  const { thing: team } = doomed
  const days = policy?.deletion_grace_days ?? 0
  const isTaken = policy?.remaining_balance === "forfeit"
  return (
    <DeletionDialog
      isOpen={doomed.isOpen}
      onClose={onClose}
      onGone={onGone}
      title={t("accounts.deletion.title", { name: team.name })}
      text={t(days > 0 ? "accounts.deletion.when" : "accounts.deletion.whenNow", { count: days })}
      lines={[
        t("accounts.deletion.members", { count: team.members.length }),
        <>
          {t(isTaken ? "accounts.deletion.forfeit" : "accounts.deletion.keepRefusing")}{" "}
          <Amount quota={team.balance + team.reward_balance} as="balance" withSign />
        </>,
        t("accounts.deletion.orders"),
        t("accounts.deletion.stays"),
      ]}
      endKeys={t("accounts.deletion.endKeys")}
      action={t("accounts.deletion.action")}
      onDelete={(endKeysNow) => onDelete(team, endKeysNow)}
    />
  )
}
