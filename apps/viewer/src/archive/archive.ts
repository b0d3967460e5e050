import { chmodSync, closeSync, openSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import Database from 'libsql'
import type { Intake, Packed } from '../otlp/intake.ts'

interface Row {
  readonly signal: Packed['signal']
  readonly encoding: Packed['encoding']
  readonly gzip: number
  readonly bytes: Buffer
}

/** When more is kept than allowed, this share of it goes, so that not every request has to make room. */
const share = 0.1

/**
 * A file that keeps export requests as they came, within a limit of bytes: the oldest go first. It is a SQLite database
 * that only the user can read (mode 0600), and opens again after its process was killed.
 */
export class Archive {
  readonly #database: Database.Database
  readonly #insert: Database.Statement
  readonly #most: number
  #bytes: number

  /** Opens the file, or makes it. Throws an `Error` that says why it cannot be used. */
  constructor(path: string, most: number) {
    this.#most = most
    this.#database = open(path)
    this.#insert = this.#database.prepare(
      'INSERT INTO request (time, signal, encoding, gzip, bytes) VALUES (?, ?, ?, ?, ?)',
    )
    const sum = this.#database.prepare('SELECT coalesce(sum(length(bytes)), 0) AS bytes FROM request').get() as {
      bytes: number
    }
    this.#bytes = sum.bytes
  }

  /** Epoch milliseconds of the oldest request; undefined when there is none. */
  get oldest(): number | undefined {
    const row = this.#database.prepare('SELECT min(time) AS time FROM request').get() as { time: number | null }
    return row.time ?? undefined
  }

  /** Keeps a request. What a kill of the process takes away is at most the request under way. */
  keep({ signal, encoding, gzip, bytes }: Packed): void {
    this.#insert.run(Date.now(), signal, encoding, gzip ? 1 : 0, Buffer.from(bytes))
    this.#bytes += bytes.length
    if (this.#bytes > this.#most) this.#trim()
  }

  /** The requests, oldest first. */
  *#read(): Generator<Packed> {
    // In pages: a statement that is open would stand in the way of what comes in meanwhile.
    const page = this.#database.prepare('SELECT rowid AS id, * FROM request WHERE rowid > ? ORDER BY rowid LIMIT 100')
    let last = 0
    for (;;) {
      const rows = page.all(last) as (Row & { id: number })[]
      if (rows.length === 0) return
      for (const { signal, encoding, gzip, bytes } of rows) yield { signal, encoding, gzip: gzip === 1, bytes }
      last = rows.at(-1)!.id
    }
  }

  /** Hands everything that is kept to the intake once more. A request that cannot be read any more is left out. */
  async replay(intake: Intake, maxInflatedBytes: number): Promise<void> {
    let taken = 0
    for (const { signal, encoding, gzip, bytes } of this.#read()) {
      try {
        const body = gzip ? gunzipSync(bytes, { maxOutputLength: maxInflatedBytes }) : Buffer.from(bytes)
        intake.take(signal, encoding, body)
      } catch (error) {
        intake.refused(`kept request: ${error instanceof Error ? error.message : String(error)}`)
      }
      // The program that embeds the viewer goes on meanwhile.
      if (++taken % 20 === 0) await turn()
    }
  }

  /** Forgets everything, also on the disk. */
  clear(): void {
    this.#database.exec('DELETE FROM request')
    this.#database.exec('VACUUM')
    this.#bytes = 0
  }

  close(): void {
    // Statements keep the database open until they are collected: what locks the file has to be given up by hand.
    this.#database.pragma('journal_mode = DELETE')
    this.#database.pragma('locking_mode = NORMAL')
    this.#database.prepare('SELECT 1 FROM request LIMIT 1').get()
    this.#database.close()
  }

  #trim(): void {
    const goal = this.#most * (1 - share)
    const oldest = this.#database.prepare(
      'SELECT rowid AS id, length(bytes) AS size FROM request ORDER BY rowid LIMIT 100',
    )
    const remove = this.#database.prepare('DELETE FROM request WHERE rowid <= ?')
    while (this.#bytes > goal) {
      const rows = oldest.all() as { id: number; size: number }[]
      if (rows.length === 0) break
      let until = 0
      for (const { id, size } of rows) {
        if (this.#bytes <= goal) break
        this.#bytes -= size
        until = id
      }
      remove.run(until)
    }
  }
}

function open(path: string): Database.Database {
  // SQLite gives its further files the mode of this one.
  closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
  let database: Database.Database | undefined
  try {
    database = new Database(path)
    // One viewer at a time: two would each keep half of what came.
    database.pragma('locking_mode = EXCLUSIVE')
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = NORMAL')
    database.pragma('secure_delete = ON')
    database.exec(
      'CREATE TABLE IF NOT EXISTS request (time REAL NOT NULL, signal TEXT NOT NULL, encoding TEXT NOT NULL, gzip INTEGER NOT NULL, bytes BLOB NOT NULL)',
    )
    return database
  } catch (error) {
    database?.close()
    const why = error instanceof Error ? error.message : String(error)
    const locked = /locked|busy/i.test(why)
    throw new Error(
      locked ? `${path} is in use by another viewer` : `${path} cannot be used to keep what is received: ${why}`,
    )
  }
}
