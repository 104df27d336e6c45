/** What of services is not held, said once for each property. */
export interface Notes {
  add(property: string, service: string, why: string): void;
  /** What has to be done before they can start. */
  toDo(text: string): void;
  /** Sentences, in the order in which they came up. */
  list(): readonly string[];
}

/** Notes that are empty. @param where services are run, as in `in the pod` */
export function createNotes(where: string): Notes {
  const found = new Map<string, { readonly services: Set<string>; readonly why: string }>();
  const toDos: string[] = [];
  return {
    add: (property, service, why) => {
      const entry = found.get(property) ?? { services: new Set(), why };
      entry.services.add(service);
      found.set(property, entry);
    },
    toDo: (text) => void toDos.push(text),
    list: () => [
      ...[...found].map(
        ([property, { services, why }]) =>
          `${property} (${services.size > 1 ? 'services' : 'service'} ${[...services].join(', ')}) is not held ${where}: ${why}`,
      ),
      ...toDos,
    ],
  };
}
