/** How much a caller wants a media type, 0 to 1, by an Accept header; a more specific range decides. */
function weight(accept: string, wanted: string): number {
  const ranges = accept.split(',').map((range) => {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
    return { type, quality: quality === undefined ? 1 : Number(quality) || 0 }
  })
  const [main] = wanted.split('/')
  for (const type of [wanted, `${main}/*`, '*/*']) {
    const found = ranges.find((range) => range.type === type)
    if (found !== undefined) return found.quality
  }
  return 0
}

/** True when a caller would rather have YAML than JSON. */
export function prefersYaml(accept: string | undefined): boolean {
  if (accept === undefined) return false
  return weight(accept, 'application/yaml') > weight(accept, 'application/json')
}
