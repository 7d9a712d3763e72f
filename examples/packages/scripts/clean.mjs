import sanitize from 'sanitize-html';

// Comments come from anywhere: no scripts, and no links but those of the web.
export default ({ html }) => sanitize(html, { allowedSchemes: ['https'] });
