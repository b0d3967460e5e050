/** Listens on the port that was asked for, else on the usual one, or on any if that is taken. */
export async function listenOn<R>(
  port: number | undefined,
  usual: number,
  listen: (port: number) => Promise<R>,
): Promise<R> {
  try {
    return await listen(port ?? usual)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || port !== undefined) throw error
    return listen(0)
  }
}
