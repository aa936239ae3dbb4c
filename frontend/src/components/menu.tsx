import { cloneElement, type KeyboardEvent, type ReactElement, useState } from "react"
import type { ChoiceProps, ItemProps, MenuProps } from "./menu-parts"

type Parts = typeof import("./menu-parts")

let parts: Parts | null = null

async function load(): Promise<void> {
  parts = await import("./menu-parts")
}

/** A trigger that looks and sounds like a menu's. It fetches the menu when somebody is about to open it. */
function Still({ trigger, onOpen }: { trigger: ReactElement; onOpen: () => void }) {
  return cloneElement(trigger as ReactElement<Record<string, unknown>>, {
    "aria-haspopup": "menu",
    "aria-expanded": false,
    onPointerEnter: () => void load(),
    onFocus: () => void load(),
    onClick: onOpen,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return
      event.preventDefault()
      onOpen()
    },
  })
}

/** A menu that drops from its trigger; give it items, groups and rules. */
export function Menu(menu: MenuProps) {
  const [isLoaded, setLoaded] = useState(parts !== null)
  const [isWanted, setWanted] = useState(false)
  if (parts && isLoaded) return <parts.Root {...menu} isOpen={isWanted} />
  const open = () => {
    setWanted(true)
    void load().then(() => setLoaded(true))
  }
  return <Still trigger={menu.trigger} onOpen={open} />
}

// These stand in a menu that is open, so the parts are there.
export function MenuItem(item: ItemProps) {
  return parts && <parts.Item {...item} />
}

export function MenuChoice<T extends string>(choice: ChoiceProps<T>) {
  return parts && <parts.Choice {...choice} />
}

export function MenuRule() {
  return parts && <parts.Rule />
}
