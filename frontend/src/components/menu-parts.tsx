// What a menu is made of. Its code is large and nobody needs it before they open one: only menu.tsx imports this.
import { Menu as Base } from "@base-ui/react/menu"
import type { ReactElement, ReactNode } from "react"

export type MenuProps = { trigger: ReactElement; children: ReactNode; align?: "start" | "end" }

export function Root({ trigger, children, align = "end", isOpen }: MenuProps & { isOpen: boolean }) {
  return (
    <Base.Root modal={false} defaultOpen={isOpen}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner className="z-[22]" sideOffset={6} align={align} collisionPadding={8}>
          <Base.Popup className="pop menu">{children}</Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}

export type ItemProps = {
  icon?: ReactNode
  children: ReactNode
  side?: ReactNode
  onPress?: () => void
  isBad?: boolean
  render?: ReactElement
}

export function Item({ icon, children, side, onPress, isBad, render }: ItemProps) {
  return (
    <Base.Item className={`mi ${isBad ? "is-bad" : ""}`} onClick={onPress} render={render}>
      {icon}
      {children}
      {side && <span className="r">{side}</span>}
    </Base.Item>
  )
}

export type ChoiceProps<T extends string> = {
  label: string
  value: T
  options: { value: T; label: string; icon?: ReactNode }[]
  onValue: (value: T) => void
}

export function Choice<T extends string>({ label, value, options, onValue }: ChoiceProps<T>) {
  return (
    <Base.RadioGroup value={value} onValueChange={onValue} aria-label={label}>
      {options.map((option) => (
        <Base.RadioItem key={option.value} value={option.value} className="mi" closeOnClick>
          {option.icon}
          {option.label}
          <Base.RadioItemIndicator className="r" aria-hidden="true">
            ✓
          </Base.RadioItemIndicator>
        </Base.RadioItem>
      ))}
    </Base.RadioGroup>
  )
}

export function Rule() {
  return <Base.Separator className="menu-rule" />
}
