// What can be done to a channel and to its credentials. Each holds in every process within a second.
import { useQueryClient } from "@tanstack/react-query"
import { useTranslation } from "react-i18next"
import { api, body, onceOnly } from "../../api/client"
import type { Channel, ChannelDraft, Credential } from "../../api/types"
import { useProblemText } from "../../components/problem"
import { say } from "../../components/toast"

function patch(channel: Channel, wanted: Partial<ChannelDraft>): Promise<Channel> {
  return body(
    api().PATCH("/api/v1/admin/channels/{channel_id}", {
      params: { path: { channel_id: channel.id } },
      body: wanted,
    }),
  )
}

export function useChannelActs() {
  const { t } = useTranslation("channels")
  const queries = useQueryClient()
  const textOf = useProblemText()
  const refresh = () => queries.invalidateQueries({ queryKey: ["admin", "channels"] })
  const save = async (channel: Channel | null, draft: ChannelDraft) => {
    const stored = channel
      ? await patch(channel, draft)
      : await body(
          api().POST("/api/v1/admin/channels", { body: draft, headers: { "Idempotency-Key": onceOnly() } }),
        )
    queries.setQueryData(["admin", "channels", stored.id], stored)
    await refresh()
    say({ tone: "good", title: t(channel ? "saved" : "created", { name: draft.name }) })
    return stored
  }
  const turn = async (channel: Channel, enabled: boolean) => {
    try {
      await patch(channel, { enabled })
      await refresh()
      say({ tone: "good", title: t(enabled ? "isOn" : "isOff", { name: channel.name }) })
    } catch (error) {
      say({ tone: "bad", title: t("notChanged", { name: channel.name }), text: textOf(error) })
    }
  }
  const remove = async (channel: Channel) => {
    await body(
      api().DELETE("/api/v1/admin/channels/{channel_id}", { params: { path: { channel_id: channel.id } } }),
    )
    await refresh()
    say({ tone: "good", title: t("deleted", { name: channel.name }) })
  }
  return { save, turn, remove, refresh }
}

/** What a credential is called: its label, else its last characters. */
export function useCredentialName(): (credential: Pick<Credential, "hint" | "label">) => string {
  const { t } = useTranslation("channels")
  return ({ label, hint }) => label || (hint ? `…${hint}` : t("cred.unnamed"))
}

export function useCredentialActs(channel: Channel) {
  const { t } = useTranslation("channels")
  const textOf = useProblemText()
  const nameOf = useCredentialName()
  const { refresh } = useChannelActs()
  const at = (credential: Credential) => ({
    params: { path: { channel_id: channel.id, credential_id: credential.id } },
  })
  const add = async (secret: string, label: string) => {
    await body(
      api().POST("/api/v1/admin/channels/{channel_id}/credentials", {
        params: { path: { channel_id: channel.id } },
        body: { secret, label },
      }),
    )
    await refresh()
    say({ tone: "good", title: t("cred.added") })
  }
  const rename = async (credential: Credential, label: string) => {
    await body(
      api().PATCH("/api/v1/admin/channels/{channel_id}/credentials/{credential_id}", {
        ...at(credential),
        body: { label },
      }),
    )
    await refresh()
  }
  const turn = async (credential: Credential, enabled: boolean) => {
    const name = nameOf(credential)
    try {
      await body(
        api().PATCH("/api/v1/admin/channels/{channel_id}/credentials/{credential_id}", {
          ...at(credential),
          body: { enabled },
        }),
      )
      await refresh()
      say({ tone: "good", title: t(enabled ? "cred.enabled" : "cred.disabled", { name }) })
    } catch (error) {
      say({ tone: "bad", title: t("notChanged", { name }), text: textOf(error) })
    }
  }
  const remove = async (credential: Credential) => {
    await body(
      api().DELETE("/api/v1/admin/channels/{channel_id}/credentials/{credential_id}", at(credential)),
    )
    await refresh()
    say({ tone: "good", title: t("cred.removed", { name: nameOf(credential) }) })
  }
  return { add, rename, turn, remove }
}
