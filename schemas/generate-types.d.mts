/** Generates the types of every schema: pairs of file, relative to the repository's top, and text. */
export declare function generateTypes(): Promise<[file: string, text: string][]>
