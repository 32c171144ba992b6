/** What goes to a server's API, and what comes back: the members have the names of the API. */
export {};
