// Updates the list of emails from the page when the server reports a change. The opened email stays.

async function refresh() {
  const response = await fetch(location.href);
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
  for (const id of ['messages', 'count']) {
    const current = document.getElementById(id);
    const changed = fresh.getElementById(id);
    if (current && changed && current.innerHTML !== changed.innerHTML) {
      current.innerHTML = changed.innerHTML;
    }
  }
  const nothing = document.querySelector('main .nothing');
  const main = fresh.querySelector('main');
  if (nothing && main) document.querySelector('main').innerHTML = main.innerHTML;
}

new EventSource('/events').addEventListener('changed', refresh);
