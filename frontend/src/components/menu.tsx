import { Menu as Base } from "@base-ui/react/menu"
import type { ReactElement, ReactNode } from "react"

/** A menu that drops from its trigger; give it items, groups and rules. */
export function Menu({
  trigger,
  children,
  align = "end",
}: {
  trigger: ReactElement
  children: ReactNode
  align?: "start" | "end"
}) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner className="z-[22]" sideOffset={6} align={align} collisionPadding={8}>
          <Base.Popup className="pop menu">{children}</Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}

export function MenuItem({
  icon,
  children,
  side,
  onPress,
  isBad,
  render,
}: {
  icon?: ReactNode
  children: ReactNode
  side?: ReactNode
  onPress?: () => void
  isBad?: boolean
  render?: ReactElement
}) {
  return (
    <Base.Item className={`mi ${isBad ? "is-bad" : ""}`} onClick={onPress} render={render}>
      {icon}
      {children}
      {side && <span className="r">{side}</span>}
    </Base.Item>
  )
}

export function MenuChoice<T extends string>({
  label,
  value,
  options,
  onValue,
}: {
  label: string
  value: T
  options: { value: T; label: string; icon?: ReactNode }[]
  onValue: (value: T) => void
}) {
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

export function MenuRule() {
  return <Base.Separator className="menu-rule" />
}
