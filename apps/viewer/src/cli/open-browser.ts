import { spawn } from 'node:child_process'

const commands: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ['open'],
  // The first argument of `start` is the title of a window.
  win32: ['cmd', '/c', 'start', ''],
}

/** Opens an address in the browser of the user. Where that cannot be done the address that was printed has to do. */
export function openBrowser(address: string): void {
  const [command = 'xdg-open', ...args] = commands[process.platform] ?? ['xdg-open']
  const child = spawn(command, [...args, address], { stdio: 'ignore', detached: true })
  child.once('error', () => console.log(`${command} is not there: open the page by hand.`))
  child.unref()
}
