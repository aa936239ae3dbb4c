import { Outlet } from "@tanstack/react-router"
import ConsoleFrame from "./console-frame"

/** The console's frame as a route: the router has it at hand before it leaves the page before. */
export default function ConsoleLayout() {
  return (
    <ConsoleFrame>
      <Outlet />
    </ConsoleFrame>
  )
}
