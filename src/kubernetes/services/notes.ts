/** What of services a pod does not hold, said once for each property. */
export interface Notes {
  add(property: string, service: string, why: string): void;
  /** What has to be done before the pod can start. */
  toDo(text: string): void;
  /** Sentences, in the order in which they came up. */
  list(): readonly string[];
}

/** Notes that are empty. */
export function createNotes(): Notes {
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
          `${property} (${services.size > 1 ? 'services' : 'service'} ${[...services].join(', ')}) is not held in the pod: ${why}`,
      ),
      ...toDos,
    ],
  };
}
