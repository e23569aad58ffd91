import { addDays } from 'date-fns';
console.log(addDays(new Date(0), 3).toISOString());
