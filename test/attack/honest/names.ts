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

/** The registId of what this client publishes in this service. Each client registers in one order: honestClients.ts. */
export function honestPublisherId(client: number, service: number): string {
  return honestRegistId(client * REGISTRATIONS_PER_CLIENT + service * 2 + 1);
}

// A subscriber and a publisher for each of four services, and a subscriber of the short-lived clients.
const REGISTRATIONS_PER_CLIENT = 9;
