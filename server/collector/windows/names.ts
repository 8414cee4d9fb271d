/** A name as NTFS and the registry compare ours: without case. Ours are ASCII, so no other letter may fold into one. */
export function foldName(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
