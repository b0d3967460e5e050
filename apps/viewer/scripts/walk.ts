import { launchBrowser } from '@otel-ws/testkit/browser'

const [url, out, ...hashes] = process.argv.slice(2)
const browser = await launchBrowser()
const page = await browser.newPage({
  colorScheme: (process.env.T ?? 'light') as 'light',
  viewport: { width: Number(process.env.W ?? 1440), height: 900 },
})
page.on('pageerror', (e) => console.log('ERR', e.message))
let i = 0
for (const h of hashes) {
  await page.goto(url + h)
  await new Promise((r) => setTimeout(r, 1800))
  await page.screenshot({ path: `${out}-${i++}.png` })
}
await browser.close()
