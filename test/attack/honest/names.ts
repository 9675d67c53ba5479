// Names of the honest clients, as an attacker may know them too.

/** The service with this number: all honest clients publish and subscribe it. */
export function honestService(number: number): string {
  return `honest-service-${number}`;
}

/** The registId of the honest registration with this number; subscriptions count, too. */
export function honestRegistId(number: number): string {
  return `600d0000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

/** From where the client with this number comes. The first one shares its address with the attacker. */
export function honestAddress(number: number): string {
  return `127.0.0.${1 + (number % 3)}`;
}
