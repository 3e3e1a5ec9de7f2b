// The office's settings: what a field does is shown while it is typed; saving works without any of this.
import { watchDistances } from './distances.js';
import { watchIdentity } from './identity.js';
import { watchBackup } from './backup.js';
import { showView } from './view.js';

watchIdentity();
watchDistances();
watchBackup();
showView();
