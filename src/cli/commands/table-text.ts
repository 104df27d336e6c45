/** Rows below a head, each column as wide as its widest cell. */
export function tableText(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return columnsText([head, ...rows]);
}

/** Rows in columns, each as wide as its widest cell. */
export function columnsText(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => rows.reduce((most, row) => Math.max(most, row[i]!.length), 0));
  const line = (row: readonly string[]): string => row.map((cell, i) => cell.padEnd(widths[i]!)).join('  ');
  return rows.map((row) => line(row).trimEnd()).join('\n');
}
