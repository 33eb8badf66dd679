// Alarms of all zones: suspicious traffic and broken trust, the newest first.
import { html } from '../message/html.ts';
import { timeWords } from '../portal/words-of-time.ts';
import { consolePage, OPERATOR, sayOf, type ConsoleDeps } from './desk.ts';
import { alarmWords, consoleLinks } from './overview.ts';

export function addAlarmsPage({ desk, statuses }: ConsoleDeps): void {
  desk.pages.get('/console/alarms', OPERATOR, async (visit) => {
    const say = sayOf(visit);
    const alarms = statuses.alarms();
    return consolePage(visit, {
      title: say('警報', 'Alarms'),
      body: html`${consoleLinks(visit)}
      ${
        alarms.length === 0
          ? html`<p class="empty">${say('ありません。', 'None.')}</p>`
          : html`<table>
              <thead>
                <tr>
                  ${[say('日時', 'When'), say('種類', 'Kind'), say('対象', 'About'), say('内容', 'What'), say('件数', 'Count'), say('ゾーン', 'Zone')].map((words) => html`<th scope="col">${words}</th>`)}
                </tr>
              </thead>
              <tbody>
                ${alarms.map(
                  ({ at, kind, subject, detail, count, role }) =>
                    html`<tr>
                      <td class="time">${timeWords(at, visit.language)}</td>
                      <td><span class="state bad">${alarmWords(visit, kind)}</span></td>
                      <td>${subject}</td>
                      <td>${detail}</td>
                      <td>${count}</td>
                      <td>${role}</td>
                    </tr> `,
                )}
              </tbody>
            </table>`
      }`,
    });
  });
}
