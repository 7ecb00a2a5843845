import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { markdownHtml, mentioning } from '../../src/protocol/html.ts';

const ANA = '@ana:dom';
const ANA_PILL = '<a href="https://matrix.to/#/%40ana%3Adom">ana</a>';

describe('Markdown as HTML', () => {
  test.each([
    ['one\ntwo  \nthree', '<p>one<br>two<br>three</p>'],
    ['# Head\n\ntext', '<h1>Head</h1><p>text</p>'],
    ['*a* **b** ~~c~~ `d < e`', '<p><em>a</em> <strong>b</strong> <del>c</del> <code>d &lt; e</code></p>'],
    ['- a\n- b\n  - c', '<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>'],
    ['3. a\n4. b', '<ol start="3"><li>a</li><li>b</li></ol>'],
    ['- [x] a\n- [ ] b', '<ul><li>☑ a</li><li>☐ b</li></ul>'],
    ['- a\n\n- b', '<ul><li><p>a</p></li><li><p>b</p></li></ul>'],
    [
      '| a | b |\n|---|--:|\n| 1 | 2 |',
      '<table><thead><tr><th>a</th><th align="right">b</th></tr></thead>' +
        '<tbody><tr><td>1</td><td align="right">2</td></tr></tbody></table>',
    ],
    ['```ts\na < b\n```', '<pre><code class="language-ts">a &lt; b\n</code></pre>'],
    ['> quoted\n\n---', '<blockquote><p>quoted</p></blockquote><hr>'],
    ['[a](https://e.org/?x=1&y="2")', '<p><a href="https://e.org/?x=1&amp;y=&quot;2&quot;">a</a></p>'],
    ['[a][1]\n\n[1]: https://e.org', '<p><a href="https://e.org">a</a></p>'],
    ['![shown](https://e.org/x.png)', '<p>shown</p>'],
    ['spec: shared/tasks/t/spec.md.', '<p>spec: <code>shared/tasks/t/spec.md</code>.</p>'],
    ['- shared/a.md, (shared/b&c.md)', '<ul><li><code>shared/a.md</code>, (<code>shared/b&amp;c.md</code>)</li></ul>'],
    [
      '`shared/a` [shared/b](https://e.org)',
      '<p><code>shared/a</code> <a href="https://e.org"><code>shared/b</code></a></p>',
    ],
    ['unshared/a shared/', '<p>unshared/a shared/</p>'],
  ])('%j', (text, html) => {
    expect(markdownHtml(text, [])).toBe(html);
  });

  test.each([
    ['<script>x</script>', '&lt;script&gt;x&lt;/script&gt;'],
    ['a <img src=x onerror="y"> b', '<p>a &lt;img src=x onerror=&quot;y&quot;&gt; b</p>'],
    ['[a](javascript:alert(1))', '<p>a</p>'],
    ['[a](data:text/html,x)', '<p>a</p>'],
    ['```" onclick="x\ny\n```', '<pre><code>y\n</code></pre>'],
    ['[Admin](https://matrix.to/#/@admin:dom)', '<p>Admin</p>'],
    ['[Admin](https://MATRIX.to/#/%40admin:dom)', '<p>Admin</p>'],
    ['[Admin](https://matrix%2Eto/#/@admin:dom)', '<p>Admin</p>'],
  ])('%j carries nothing in', (text, html) => {
    expect(markdownHtml(text, [])).toBe(html);
  });

  test('no text makes a tag or an attribute of its own', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('<', '>', '"', "'", '`', '[', '](', ')', '|', '\n', '- ', '# '),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const html = markdownHtml(pieces.join(''), [ANA]);
        const tags = html.replaceAll(
          /<\/?(?:p|h[1-6]|em|strong|del|ul|li|blockquote|pre|table|thead|tbody|tr)>|<[bh]r>/g,
          '',
        );
        const known = /<\/?(?:code|ol|th|td|a)(?: (?:class|start|align|href)="[^"<>]*")?>/g;
        expect(tags.replaceAll(known, '')).not.toMatch(/[<>]/);
      }),
    );
  });

  test.each([
    ['deep quotes', '>'.repeat(8_000)],
    ['deep lists', '- '.repeat(4_000)],
    ['deep emphasis', `${'**a '.repeat(2_000)}${'b** '.repeat(2_000)}`],
    ['open brackets', '['.repeat(8_000)],
    ['a wide table', `${'|a'.repeat(2_000)}\n${'|-'.repeat(2_000)}`],
  ])('%s take no long time', (_, text) => {
    const start = performance.now();
    expect(markdownHtml(text, [ANA])).toContain(ANA_PILL);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

describe('mentions', () => {
  test('are a link where the id stands first, and the plain id after that', () => {
    expect(markdownHtml(`${ANA} and ${ANA}`, [ANA])).toBe(`<p>${ANA_PILL} and @ana:dom</p>`);
  });

  test('stand in front when they do not occur, or only in code', () => {
    expect(markdownHtml('hello', [ANA, '@bo:dom'])).toBe(
      `<p>${ANA_PILL} <a href="https://matrix.to/#/%40bo%3Adom">bo</a> hello</p>`,
    );
    expect(markdownHtml(`\`${ANA}\``, [ANA])).toBe(`<p>${ANA_PILL} <code>@ana:dom</code></p>`);
  });

  test('may hold what means something in Markdown, and stand in the midst of it', () => {
    const odd = '@_a_*_:dom'.replace('*', '+');
    expect(markdownHtml(`**${odd}** _x_`, [odd])).toBe(
      `<p><strong><a href="https://matrix.to/#/${encodeURIComponent(odd)}">_a_+_</a></strong> <em>x</em></p>`,
    );
  });

  test('are whole ids: a longer one is somebody else', () => {
    expect(mentioning('@ana:domain @ana:dom.org x@ana:dom', [ANA])).toBe(`${ANA} @ana:domain @ana:dom.org x@ana:dom`);
    expect(mentioning('(@ana:dom), @bo:dom.', [ANA, '@bo:dom'])).toBe('(@ana:dom), @bo:dom.');
    expect(markdownHtml('@ana:domain', [ANA])).toBe(`<p>${ANA_PILL} @ana:domain</p>`);
  });

  test('cannot be forged with the characters that stand for them', () => {
    expect(markdownHtml('\uE000\uF8FF', [ANA])).toBe(`<p>${ANA_PILL} \uFFFD\uFFFD</p>`);
  });
});
