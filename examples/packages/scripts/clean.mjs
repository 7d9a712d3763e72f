import sanitize from 'sanitize-html';

/**
 * Comments come from anywhere: no scripts, and no links but those of the web.
 * @type {Syncano.CleanMain}
 */
export default function clean({ html }) {
  return sanitize(html, { allowedSchemes: ['https'] });
}
