// Keeps the list of emails up to date: the server tells when its folder changes, and the list is taken from the page
// as it then is. What is read on the right stays as it is.

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
  // "No email yet" goes when one has come.
  const nothing = document.querySelector('main .nothing');
  const main = fresh.querySelector('main');
  if (nothing && main) document.querySelector('main').innerHTML = main.innerHTML;
}

new EventSource('/events').addEventListener('changed', refresh);
