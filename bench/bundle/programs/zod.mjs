import { z } from 'zod';
const schema = z.object({ name: z.string().min(2), age: z.number().int().optional() });
console.log(JSON.stringify(schema.parse({ name: 'Ada', age: 36 })), schema.safeParse({ name: 'A' }).success);
