/** Proportional memory of a process and all below it. Unit: KiB. */
export function memoryOf(root: number): number
